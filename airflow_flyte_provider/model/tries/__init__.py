"""One task try, one execution: its name and labels, and what a retry does about the tries before."""
