"""Which of ZenML's names is where, and what stands for those that have no meaning here."""
