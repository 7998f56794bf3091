"""One self-contained page for people about an evaluation or a training: pictures, tables, and what they mean."""
