{
    "name": "Bench: the usual way",
    "version": "19.0.1.0.0",
    "category": "Hidden",
    "summary": "The same clearance with tracked fields and a write per record, to compare with",
    "author": "graduate_clearance contributors",
    "license": "LGPL-3",
    "depends": ["graduate_clearance"],
    "data": ["security/ir.model.access.csv"],
}
