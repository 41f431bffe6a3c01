"""What a listing of notebooks shows: its pages, whether its rows belong, and which notebooks it proves gone."""
