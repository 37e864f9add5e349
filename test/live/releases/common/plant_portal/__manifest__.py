{
    "name": "Plant portal",
    "summary": "A few pages that say which release answers",
    "version": "19.0.1.0.0",
    "category": "Hidden",
    "license": "LGPL-3",
    "author": "The plant",
    "depends": ["web"],
    "installable": True,
}
