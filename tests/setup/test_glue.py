"""The glue addon of docs/hooks.md, as it stands there: written to files, installed, and used."""

import json
import re
import shutil
import textwrap

import pytest
from _setup import odoo_source, postgres, workspace
from _setup.instance import Instance
from _setup.layout import ADDON, ROOT

DATABASE = "glue"
GLUE = "openeducat_clearance"
COMPLAINT = re.compile(r"^\S+ \S+ \d+ (?:WARNING|ERROR|CRITICAL) .*", re.MULTILINE)

#: Stands in for OpenEduCat: its models and fields, as far as the glue asks for them.
OPENEDUCAT = {
    "__manifest__.py": """
        {
            "name": "OpenEduCat (stand-in)",
            "author": "tests",
            "license": "LGPL-3",
            "depends": ["mail"],
            "data": ["ir.model.access.csv"],
        }
    """,
    "__init__.py": "from . import models",
    "models.py": """
        from odoo import api, fields, models


        class OpDepartment(models.Model):
            _name = "op.department"
            _description = "Department"

            name = fields.Char(required=True)
            code = fields.Char()


        class OpCourse(models.Model):
            _name = "op.course"
            _description = "Course"

            name = fields.Char(required=True)
            department_id = fields.Many2one("op.department")


        class OpBatch(models.Model):
            _name = "op.batch"
            _description = "Batch"

            name = fields.Char(required=True)
            end_date = fields.Date(required=True)
            course_id = fields.Many2one("op.course")


        class OpStudentCourse(models.Model):
            _name = "op.student.course"
            _description = "Course of a Student"

            student_id = fields.Many2one("op.student", ondelete="cascade", index=True)
            course_id = fields.Many2one("op.course", required=True)
            batch_id = fields.Many2one("op.batch")


        class OpStudent(models.Model):
            _name = "op.student"
            _description = "Student"
            _inherit = "mail.thread"
            _inherits = {"res.partner": "partner_id"}

            partner_id = fields.Many2one("res.partner", required=True, ondelete="cascade", index=True)
            first_name = fields.Char()
            middle_name = fields.Char()
            last_name = fields.Char()
            gr_no = fields.Char("Registration Number")
            id_number = fields.Char()
            gender = fields.Selection([("m", "Male"), ("f", "Female"), ("o", "Other")])
            nationality = fields.Many2one("res.country")
            course_detail_ids = fields.One2many("op.student.course", "student_id")
            active = fields.Boolean(default=True)
    """,
    "ir.model.access.csv": """
        id,name,model_id:id,group_id:id,perm_read,perm_write,perm_create,perm_unlink
        department,department,model_op_department,base.group_user,1,1,1,1
        course,course,model_op_course,base.group_user,1,1,1,1
        batch,batch,model_op_batch,base.group_user,1,1,1,1
        student_course,student course,model_op_student_course,base.group_user,1,1,1,1
        student,student,model_op_student,base.group_user,1,1,1,1
    """,
}

#: Written before the glue is there, so that it also finds students who were there before it.
BEFORE = """
department = env["op.department"].create({"name": "College of Glue", "code": "GL"})
course = env["op.course"].create({"name": "Adhesives", "department_id": department.id})
year = __import__("datetime").date.today().year
batches = env["op.batch"].create([
    {"name": "GL-1", "end_date": f"{year}-06-30", "course_id": course.id},
    {"name": "GL-later", "end_date": f"{year + 1}-06-30", "course_id": course.id},
    {"name": "GL-2", "end_date": f"{year}-06-30", "course_id": course.id},
])
env["op.student"].create([
    {"name": f"Student {n}", "gr_no": f"GL{n:04}", "gender": "f", "email": "family@example.com",
     "nationality": env.ref("base.cn").id,
     "course_detail_ids": [(0, 0, {"course_id": course.id, "batch_id": batches[n == 3].id})]}
    for n in range(4)
])
env["op.student"].search([("gr_no", "=", "GL0002")]).id_number = "990000200401010010"
env.cr.commit()
"""

USE = """
import json, os
told = {}
partners = env["res.partner"].with_context(active_test=False)
Graduate, Student = env["clearance.student"], env["op.student"]
count = partners.search_count([])
told["pending"] = Student.search_count([("clearance_pending", "=", True)])

def tell(name):
    env["ir.cron"].flush_model()
    triggered = env["ir.cron.trigger"].search_count([("cron_id", "=", env.ref("openeducat_clearance.send_cron").id)])
    env["ir.cron.trigger"].search([]).unlink()
    Student._cron_send()
    env.invalidate_all()
    graduates = Graduate.search([("student_number", "like", "GL")], order="student_number")
    everybody = Student.with_context(active_test=False).search([])
    told[name] = {
        "triggered": bool(triggered),
        "graduates": [
            [g.student_number, g.name, g.class_id.name, g.college_id.name, g.nationality_id.code, g.graduation_state,
             g.gender, g.major]
            for g in graduates
        ],
        "own contacts": all(
            g.partner_id == everybody.filtered(lambda s: s.gr_no == g.student_number).partner_id for g in graduates
        ),
        "contacts made": partners.search_count([]) - count,
        "pending": Student.search_count([("clearance_pending", "=", True)]),
        "problems": [[s.gr_no, s.clearance_problem] for s in everybody if s.clearance_problem],
    }
    return graduates

graduates = tell("first")
dates = graduates.mapped("write_date")
Student.search([]).write({"clearance_pending": True})
told["again wrote"] = tell("again").mapped("write_date") != dates

first = Student.search([("gr_no", "=", "GL0000")])
session = env["clearance.session"].create({
    "name": "Glue", "student_domain": "[('student_number', '=like', 'GL%')]",
    "open_from": "2020-01-01 00:00:00", "open_until": "2099-01-01 00:00:00",
    "step_ids": [(0, 0, {"name": "Return books",
                         "station_id": env["clearance.station"].create({"name": "Library"}).id})],
})
session._open()
told["forms"] = session.form_ids.mapped("student_number")
first.write({"gr_no": "GL9000", "name": "Renamed"})
first.course_detail_ids.batch_id = env["op.batch"].search([("name", "=", "GL-2")])
Student.search([("gr_no", "=", "GL0001")]).active = False
Student.search([("gr_no", "=", "GL0002")]).id_number = "990000200401010011"
tell("changed")
told["states"] = {f.student_number: f.state for f in session.form_ids}
told["class of form"] = session.form_ids.filtered(lambda f: f.student_number == "GL9000").class_id.name
staff = env.ref("base.group_user")
keeper = env["res.users"].create({"name": "Keeper", "login": "keeper", "group_ids": [(6, 0, staff.ids)]})
first.with_user(keeper).write({"gender": "m"})
tell("by keeper")
with open(os.environ["GLUE_TOLD"], "w") as file:
    json.dump(told, file)
env.cr.rollback()
"""


def get_blocks():
    """The files of the document: dict ``{path: text}``."""
    text = (ROOT / "docs" / "hooks.md").read_text()
    files, path = {}, None
    for part in re.split(r"(```\w+\n.*?```)", text, flags=re.DOTALL):
        if part.startswith("```"):
            assert path, "a block of code that is not told which file it is"
            files[path] = part.partition("\n")[2].removesuffix("```")
            path = None
        else:
            names = re.findall(r"^`([\w/]+\.(?:py|xml))`", part, re.MULTILINE)
            path = names[-1] if names else None
    return files


def write_addon(folder, files):
    for path, text in files.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(textwrap.dedent(text).lstrip())


@pytest.fixture
def instance(tmp_path):
    """A database with the clearance and the stand-in, and an addons path that has the glue too."""
    odoo = odoo_source.ensure()
    server = postgres.ensure("test", durable=False)
    template = Instance("test", odoo, server).template(workspace.dependencies())
    write_addon(tmp_path / "openeducat_core", OPENEDUCAT)
    write_addon(tmp_path / GLUE, get_blocks())
    path = ",".join(map(str, [*odoo.addons_path(), ROOT, tmp_path]))
    instance = Instance("glue", odoo, server)
    # The template's files are the tests' own.
    data = Instance("test", odoo, server).data
    instance.data = data
    instance._write_config({"addons_path": path, "data_dir": data})
    instance.copy(template, DATABASE)
    yield instance
    instance.drop(DATABASE)
    shutil.rmtree(instance.folder)


def test_document_names_every_file():
    assert set(get_blocks()) == {
        "__manifest__.py",
        "__init__.py",
        "models/__init__.py",
        "models/op_student.py",
        "models/clearance_student.py",
        "data/ir_cron_data.xml",
    }


@pytest.mark.slow
def test_glue(instance, tmp_path):
    """Students come in with their own contacts, and stay in step."""
    instance.modules(DATABASE, "-i", "openeducat_core")
    instance.shell(DATABASE, BEFORE)
    log = instance.modules(DATABASE, "-i", ADDON)
    assert GLUE in log, "it installs itself, as both sides are there"
    assert [line for line in COMPLAINT.findall(log) if GLUE in line] == []
    said = instance.shell(DATABASE, USE, GLUE_TOLD=str(tmp_path / "told.json"))
    assert (tmp_path / "told.json").exists(), said
    told = json.loads((tmp_path / "told.json").read_text())

    def graduate(number, name, class_="GL-1", state="due", gender="female"):
        return [number, name, class_, "College of Glue", "CN", state, gender, "Adhesives"]

    assert told["pending"] == 4, "students who were there before the glue are marked"
    first = told["first"]
    assert first["graduates"] == [graduate("GL0000", "Student 0"), graduate("GL0001", "Student 1")]
    assert first["own contacts"]
    assert first["contacts made"] == 0
    assert first["pending"] == 1, "who graduates later waits"
    ((number, problem),) = first["problems"]
    assert number == "GL0002"
    assert "ID-card" in problem
    assert told["again"]["graduates"] == first["graduates"]
    assert not told["again wrote"]
    assert told["forms"] == ["GL0000", "GL0001"]
    changed = told["changed"]
    assert changed["triggered"]
    assert changed["graduates"] == [
        graduate("GL0001", "Student 1", state="left"),
        graduate("GL0002", "Student 2"),
        graduate("GL9000", "Renamed", "GL-2"),
    ]
    assert changed["own contacts"]
    assert changed["contacts made"] == 0
    assert changed["problems"] == []
    assert told["states"] == {"GL9000": "open", "GL0001": "withdrawn"}
    assert told["class of form"] == "GL-2"
    assert told["by keeper"]["triggered"]
    assert told["by keeper"]["graduates"][-1] == graduate("GL9000", "Renamed", "GL-2", gender="male")
