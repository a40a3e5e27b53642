"""What pages and the API need: the site and its requests, lists, templates, uploads and annotations."""
