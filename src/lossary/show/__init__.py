"""Views of the catalogue: tables, plain formulas, plots and documentation pages."""
