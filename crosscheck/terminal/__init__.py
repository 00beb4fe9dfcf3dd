"""What commands print: tables, reports, progress."""
