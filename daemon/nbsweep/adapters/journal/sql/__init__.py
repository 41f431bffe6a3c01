"""Parts of statements that hold on both databases."""
