{
    "name": "Acme shop floor",
    "summary": "A page that shop-floor terminals and smoke probes ask for.",
    "version": "19.0.1.0.0",
    "category": "Manufacturing",
    "license": "LGPL-3",
    "author": "Acme Pumps",
    "depends": ["base", "web"],
    "data": [],
    "installable": True,
}
