"""Translations are complete, fit their sources, and speak the words of a campus."""

import io
import re
from collections import Counter

import polib
import pytest
from _setup.layout import ROOT, addons

TEMPLATES = [path for name in addons() for path in sorted((ROOT / name / "i18n").glob("*.pot"))]
TRANSLATIONS = [path for name in addons() for path in sorted((ROOT / name / "i18n").glob("*.po"))]
#: what a translation keeps as it is: placeholders of Python and JavaScript, tags less the texts they hold
KEPT = re.compile(r"%\(\w+\)[sd]|%[sd%]|</?\w+|\b(?:class|role|name|id|href|aria-hidden)=\"[^\"]*\"|&\w+;|\{\{.*?\}\}")
MARKUP = r"<[^>]*>|%\(\w+\)s"

#: what the offices call things, wherever the source says only that
CHINESE = {
    "Not done": "未办理",
    "Submitted": "已提交",
    "Rejected": "未通过",
    "Approved": "已通过",
    "Optional": "可办可不办",
    "Not required": "无需办理",
    "Required": "必办",
    "Session": "离校会话",
    "Station": "离校点",
    "Step": "环节",
    "Prerequisites": "前置环节",
    "Clearance Form": "离校单",
    "Statuses": "环节状态",
    "Deferral": "缓交",
    "Restriction lifted": "限制已关闭",
    "Restriction restored": "限制已开启",
    "Operator": "办理人",
    "Counsellor": "辅导员",
    "Supervisor": "导师",
    "College": "学院",
    "Class": "班级",
    "Dorm Room": "寝室",
    "Trait": "标记",
    "Of an earlier year": "往届生",
    "Cleared": "已离校",
    "Cleared with deferral": "已离校（缓交）",
    "Clearance rate (%)": "离校率（%）",
}
#: wherever the source has the word, the translation has the term
CHINESE_WITHIN = {
    "session": "离校",
    "sessions": "离校",
    "station": "离校点",
    "stations": "离校点",
    "steps": "环节",
    "prerequisite": "前置",
    "prerequisites": "前置",
    "deferral": "缓交",
    "operator": "办理人",
    "operators": "办理人",
    "counsellor": "辅导员",
    "counsellors": "辅导员",
    "supervisors": "导师",
    "college": "学院",
    "class": "班",
    "dorm": "寝室",
    "trait": "标记",
    "traits": "标记",
}


def short(path):
    return str(path.relative_to(ROOT))


def test_there_are_translations():
    assert {path.parent for path in TEMPLATES} == {path.parent for path in TRANSLATIONS}
    assert [path for path in TRANSLATIONS if path.parent.parent.name == "graduate_clearance" and path.stem == "zh_CN"]


@pytest.mark.parametrize("path", TRANSLATIONS, ids=short)
def test_complete(path):
    template = polib.pofile(str(next(path.parent.glob("*.pot"))))
    file = polib.pofile(str(path), check_for_duplicates=True)
    assert not file.untranslated_entries(), "bin/i18n lists them too"
    assert not [entry.msgid for entry in file.fuzzy_entries()]
    assert not [entry.msgid for entry in file.obsolete_entries()]
    assert {entry.msgid for entry in file} == {entry.msgid for entry in template}, "bin/i18n brings them together"


@pytest.mark.parametrize("path", TRANSLATIONS, ids=short)
def test_placeholders_and_tags_are_kept(path):
    wrong = {
        entry.msgid: entry.msgstr
        for entry in polib.pofile(str(path))
        if entry.msgstr and Counter(KEPT.findall(entry.msgid)) != Counter(KEPT.findall(entry.msgstr))
    }
    assert not wrong


@pytest.fixture(scope="module")
def chinese():
    """Source: translation, of all addons."""
    paths = [path for path in TRANSLATIONS if path.stem == "zh_CN"]
    return {entry.msgid: entry.msgstr for path in paths for entry in polib.pofile(str(path))}


def test_chinese_terms(chinese):
    assert {source: chinese.get(source) for source in CHINESE} == CHINESE


def test_chinese_terms_within_sentences(chinese):
    wrong = [
        (source, translation)
        for source, translation in chinese.items()
        for word, term in CHINESE_WITHIN.items()
        if re.search(rf"\b{word}\b", re.sub(r"<[^>]*>|%\(\w+\)s", "", source), re.IGNORECASE)
        and term not in translation
    ]
    assert not wrong


def test_chinese_punctuation(chinese):
    """Full width beside Chinese characters, and none of the marks of an English sentence at the end."""
    wrong = {
        source: translation
        for source, translation in chinese.items()
        if re.search(r"[\u4e00-\u9fff][,;!?:.](?!\d)|[,;!?](?=[\u4e00-\u9fff])", re.sub(MARKUP, "", translation))
    }
    assert not wrong


@pytest.mark.slow
@pytest.mark.parametrize("template", TEMPLATES, ids=short)
def test_template_is_up_to_date(template):
    """What Odoo exports from the database of this run is what the file holds; bin/i18n writes it."""
    import odoo.tools
    from odoo import SUPERUSER_ID
    from odoo.api import Environment
    from odoo.modules.registry import Registry
    from odoo.tools.translate import trans_export

    databases = odoo.tools.config["db_name"]
    if not databases:
        pytest.skip("needs the database that bin/test prepares")
    exported = io.BytesIO()
    with Registry(databases[0]).cursor() as cr:
        trans_export(False, [template.stem], exported, "po", Environment(cr, SUPERUSER_ID, {}))
    now = {entry.msgid for entry in polib.pofile(exported.getvalue().decode())}
    then = {entry.msgid for entry in polib.pofile(str(template))}
    assert (now - then, then - now) == (set(), set()), "new terms, terms that are gone; run bin/i18n"
