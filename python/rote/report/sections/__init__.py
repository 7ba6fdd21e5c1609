"""The sections of the page. Each takes records and returns HTML, or "" where its runs are not there."""
