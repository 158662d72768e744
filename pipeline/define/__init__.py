"""What the user wrote: steps and pipelines with their options, signatures and names, and the graph they build."""
