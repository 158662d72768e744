"""Pictures as HTML that needs no scripts: summaries, Markdown, charts, the graph of a run."""
