"""Parts of the set-up that need no network: what is chosen, and what is said when nothing fits."""

import subprocess

import pytest
from _setup import apt, layout, odoo_source, postgres, python_env, workspace
from _setup.console import SetupError, lock, run


def test_cache_follows_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("ODOO_CACHE", str(tmp_path / "mine"))
    assert layout.cache() == tmp_path / "mine"
    monkeypatch.delenv("ODOO_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert layout.cache() == tmp_path / "graduate_clearance"


def test_no_address_of_an_archive_is_needed(monkeypatch):
    monkeypatch.setenv("ODOO_MIRROR", "file:/srv/debian")
    assert apt.mirror() == "file:/srv/debian"


def test_a_machine_without_a_debian_archive_hears_what_to_do(monkeypatch):
    monkeypatch.delenv("ODOO_MIRROR", raising=False)
    monkeypatch.setattr(apt.shutil, "which", lambda program: "/usr/bin/apt-get")
    monkeypatch.setattr(apt, "_privileged", lambda command: None)
    monkeypatch.setattr(apt, "run", lambda command, **options: "")
    with pytest.raises(SetupError, match="no Debian archive") as caught:
        apt.mirror()
    assert "ODOO_HOME" in caught.value.remedy
    assert "ODOO_MIRROR" in caught.value.remedy


def test_missing_packages_are_named_when_they_cannot_be_installed(monkeypatch, capsys):
    monkeypatch.setattr(apt, "_privileged", lambda command: None)
    with pytest.raises(SetupError, match="missing: chromium"):
        apt.ensure_commands({"no-such-program": "chromium"}, "Tests in a browser")
    assert not apt.ensure_commands({"no-such-program": "wkhtmltopdf"}, "Printing", required=False)
    assert "apt-get install wkhtmltopdf" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("usr/lib/python3/dist-packages/odoo/addons/mail/i18n/zh_CN.po", True),
        ("usr/lib/python3/dist-packages/odoo/addons/mail/i18n/fr.po", False),
        ("usr/lib/python3/dist-packages/odoo/addons/mail/__manifest__.py", True),
        ("usr/lib/python3/dist-packages/addons/mail/__manifest__.py", False),
        ("usr/share/fonts-font-awesome/fonts/fontawesome-webfont.ttf", True),
        ("etc/odoo/odoo.conf", False),
    ],
)
def test_what_is_kept_of_the_package(name, wanted):
    assert odoo_source._wanted(name) is wanted


def test_a_checkout_and_an_installed_package_are_both_an_odoo(tmp_path):
    (tmp_path / "odoo").mkdir()
    (tmp_path / "odoo" / "release.py").write_text("version_info = (19, 0, 0, FINAL, 0, '')\n")
    installed = odoo_source._inspect(tmp_path)
    assert (installed.version, installed.addons_path()) == ("19.0", [])
    (tmp_path / "addons" / "web").mkdir(parents=True)
    assert odoo_source._inspect(tmp_path).addons_path() == [tmp_path / "addons"]


def test_a_python_that_does_not_fit_is_refused(monkeypatch, tmp_path):
    monkeypatch.setenv("ODOO_PYTHON", str(tmp_path / "python3.7"))
    with pytest.raises(SetupError, match=r"3\.10 to 3\.13"):
        python_env._interpreter()


def test_the_lock_serves_every_python_of_odoo():
    """Versions that differ between Pythons carry a marker; nothing is listed twice for the same one."""
    from packaging.requirements import Requirement

    lines = [line for line in python_env.LOCK.read_text().splitlines() if line and not line.startswith("#")]
    assert all("==" in line and "://" not in line for line in lines)
    for minor in range(python_env.VERSIONS[0][1], python_env.VERSIONS[1][1] + 1):
        env = {"python_version": f"3.{minor}", "python_full_version": f"3.{minor}.9"}
        names = [need.name for need in map(Requirement, lines) if not need.marker or need.marker.evaluate(env)]
        assert len(names) == len(set(names))
        assert {"lxml", "psycopg2-binary", "werkzeug", "pytest-odoo"} <= set(names)


def test_the_servers_of_the_user_come_first(monkeypatch):
    for name, value in {"PGHOST": "db.campus", "PGPORT": "6432", "PGUSER": "odoo", "PGPASSWORD": "x"}.items():
        monkeypatch.setenv(name, value)
    server = postgres.ensure("demo", durable=True)
    assert server == postgres.Server("db.campus", 6432, "odoo", "x")
    assert server.environment()["PGPORT"] == "6432"


def test_a_database_of_somebody_else_is_left_alone():
    """The server that tests run on stands for one of the user's."""
    server = postgres.theirs()
    server.execute("DROP DATABASE IF EXISTS somebody_elses")
    server.execute("CREATE DATABASE somebody_elses")
    try:
        with pytest.raises(SetupError, match="database somebody_elses that is not ours"):
            server.drop("somebody_elses")
        assert server.exists("somebody_elses")
    finally:
        server.execute("DROP DATABASE somebody_elses")
    server.create("somebody_elses")
    server.drop("somebody_elses")
    assert not server.exists("somebody_elses")


def test_a_server_that_refuses_is_reported(monkeypatch):
    with pytest.raises(SetupError, match="refuses") as caught:
        postgres.Server("127.0.0.1", postgres.free_port(), "odoo").execute("SELECT 1")
    assert "PGHOST" in caught.value.remedy


def test_a_failing_program_shows_what_it_said():
    with pytest.raises(SetupError, match="code 3:\nno luck"):
        run(["sh", "-c", "echo no luck; exit 3"])


def test_two_runs_do_not_share_a_database(monkeypatch, tmp_path):
    monkeypatch.setattr(workspace, "LOCAL", tmp_path)
    refused = pytest.raises(SetupError, match="Another run uses the database test")
    with workspace.alone("test"), workspace.alone("other"), refused, workspace.alone("test"):
        pass
    with workspace.alone("test"):
        pass


def test_a_shared_lock_is_shared(tmp_path):
    path = tmp_path / "users"
    with lock(path, shared=True), lock(path, shared=True), pytest.raises(BlockingIOError), lock(path):
        pass


def test_the_repository_names_no_registry():
    """Where packages come from is each machine's own affair."""
    pattern = r"pypi\.org|pythonhosted\.org|registry\.npmjs|npmmirror|deb\.debian|ftp\..*debian|archive\.ubuntu"
    command = ["git", "grep", "--untracked", "-nIE", pattern, "--", ".", ":!tests/setup/test_setup.py"]
    found = subprocess.run(command, cwd=layout.ROOT, capture_output=True, text=True)
    assert (found.returncode, found.stdout) == (1, "")
