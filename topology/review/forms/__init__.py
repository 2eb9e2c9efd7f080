"""Forms of a review: text, Markdown, JSON lines."""
