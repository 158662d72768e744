"""What the terminal shows: lines, tables, colours, what moves, plots and graphs."""
