"""Reading one listing of a survey: its pages, the meaning of offsets, and single calls for facts that rows leave out."""
