{
    "name": "Millwright sessions",
    "summary": "Keeps web sessions in Redis. Loaded server-wide; never installed in a database.",
    "version": "1.0",
    "license": "Other OSI approved licence",
    "author": "millwright",
    "category": "Hidden",
    "depends": ["base", "web"],
    "installable": False,
}
