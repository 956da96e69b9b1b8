{
    "name": "Graduate Clearance - Questionnaires",
    "version": "19.0.1.0.0",
    "category": "Services/Graduate Clearance",
    "summary": "A step of the clearance that turns green once its questionnaire is answered",
    "author": "graduate_clearance contributors",
    "license": "LGPL-3",
    "depends": ["graduate_clearance", "survey"],
    "data": [
        "security/ir.model.access.csv",
        "security/survey_rules.xml",
        "views/clearance_step_views.xml",
        "views/portal_templates.xml",
        "views/survey_templates.xml",
    ],
    "auto_install": True,
}
