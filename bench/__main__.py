"""``python -m bench``: measure, print a table, write JSON."""

import argparse
import json
import os
import platform
import signal
import sys
import time
from pathlib import Path

CONFIRMED = (1, 6, 40, 2_000, 10_000)
SECTIONS = (
    "open",
    "open-large",
    "simulate",
    "confirm",
    "read",
    "screens",
    "log",
    "usual",
    "import",
    "push",
    "api",
    "export",
    "load",
    "campaign",
)


def main():
    """Run what is asked for; times are reported and never judged."""
    options = _parse()
    # A plain `kill` cleans up like Ctrl-C: databases are dropped, the server of the load ends.
    signal.signal(signal.SIGTERM, lambda number, _frame: sys.exit(128 + number))
    from . import odoo_env

    odoo_env.start(options.config)
    report = {"machine": _describe_machine(options.database), "size": options.size, "results": []}
    print(_show_machine(report["machine"]))
    runs = {
        _run_main: {"open", "confirm", "read", "screens", "log", "usual"},
        _run_large: {"open-large", "simulate"},
        _run_data: {"import", "api", "export"},
        _run_push: {"push"},
        _run_load: {"load"},
        _run_campaign: {"campaign"},
    }
    for run, sections in runs.items():
        if chosen := sections & options.only:
            run(options, chosen, report)
    if report["results"]:
        print("\n" + _show_table(report["results"]))
    if "load" in report:
        from . import load

        print("\n" + load.show(report["load"]))
    if options.json:
        Path(options.json).write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n")
    return 0


def _parse():
    parser = argparse.ArgumentParser(prog="bin/bench", description=__doc__)
    parser.add_argument("--json", metavar="FILE", help="write the report as JSON")
    parser.add_argument(
        "--only", metavar="NAME", action="append", choices=SECTIONS, help=f"one of {', '.join(SECTIONS)}; repeatable"
    )
    parser.add_argument("--size", type=int, default=7_653, help="graduates (default: 7,653)")
    parser.add_argument(
        "--rows", type=int, default=10_000, help="rows of the roster that is imported (default: 10,000)"
    )
    parser.add_argument(
        "--seconds",
        type=float,
        default=1.5,
        help="how long each page is asked in each round of the load (default: 1.5)",
    )
    parser.add_argument("--database", default=os.environ.get("PGDATABASE"), help="default: PGDATABASE")
    parser.add_argument("--config", default=os.environ.get("ODOO_RC"), help="Odoo's settings; default: ODOO_RC")
    options = parser.parse_args()
    if not options.database:
        parser.error("no database: give --database or PGDATABASE")
    if not 1 <= options.size <= 30_000:
        parser.error("--size is a number from 1 to 30,000")
    if not 1 <= options.rows <= 100_000:
        parser.error("--rows is a number from 1 to 100,000")
    if not 0 < options.seconds <= 600:
        parser.error("--seconds is a number up to 600")
    options.only = set(options.only or SECTIONS)
    return options


# -- runs ------------------------------------------------------------------------------


def _run_main(options, chosen, report):
    from . import odoo_env
    from .operations import Bench

    with odoo_env.copy_of(options.database, "main") as database:
        print(f"\nA campus of {options.size:,}")
        with Bench(database, options.size) as bench:
            bench.make_campus()
            if "open" in chosen:
                bench.measure_opening(5)
            if chosen - {"open"}:
                _run_opened(bench, chosen, report)
        report["results"] += [result.to_dict() for result in bench.meter.results]


def _run_opened(bench, chosen, report):
    """First with a session some days old to read in, then with everybody about to collect."""
    from .screens import Screens

    bench.open_for_good()
    if "read" in chosen:
        bench.measure_ready(15)
        bench.measure_statistics(9)
        bench.measure_records(40, "class matrix, forms of a class", "affairs", 15)
        bench.measure_records(1, "a graduate's page", None, 15)
    if "screens" in chosen:
        Screens(bench).measure()
    if chosen & {"confirm", "usual", "log"}:
        bench.settle_before_certificates()
    if "log" in chosen:
        bench.measure_log()
        report["log"] = bench.log
    if chosen & {"confirm", "usual"}:
        results = [bench.measure_confirmation(count, 15 if count <= 40 else 5) for count in CONFIRMED]
        if "usual" in chosen:
            bench.measure_usual([result for result in results if result])


def _run_large(options, chosen, report):
    from . import odoo_env
    from .operations import Bench

    size = min(30_000, 4 * options.size)
    with odoo_env.copy_of(options.database, "large") as database:
        print(f"\nA campus of {size:,}")
        with Bench(database, size) as bench:
            bench.make_campus(20)
            if "simulate" in chosen:
                bench.measure_simulation(5)
            if "open-large" in chosen:
                bench.measure_opening(3)
        report["results"] += [result.to_dict() for result in bench.meter.results]


def _run_data(options, chosen, report):
    """What comes in and goes out through files, and what other systems ask for."""
    from . import data_api, data_in, data_out, odoo_env
    from .operations import Bench

    with odoo_env.copy_of(options.database, "data") as database:
        print(f"\nA campus of {options.size:,} that exchanges data")
        with Bench(database, options.size) as bench:
            bench.make_campus(20)
            if "import" in chosen:
                data_in.measure_roster(bench, options.rows)
                print("\n".join(f"  {line}" for line in data_in.show(bench.meter.results)))
                report["import_memory"] = data_in.measure_memory(bench)
            if chosen & {"api", "export"}:
                bench.open_for_good()
            if "api" in chosen:
                data_api.measure(bench)
            if "export" in chosen:
                report["export_memory_mb"] = data_out.Spreadsheets(bench).measure()
        report["results"] += [result.to_dict() for result in bench.meter.results]


def _run_push(options, chosen, report):
    from . import data_feeds, odoo_env

    with odoo_env.copy_of(options.database, "push") as database:
        print("\nWhat a source system sends")
        found = data_feeds.measure(database)
        report["results"] += [result.to_dict() for result in found["results"]]
        report["push_memory"] = found["memory"]


def _run_load(options, chosen, report):
    from . import odoo_env
    from .load import Load
    from .operations import Bench

    with odoo_env.copy_of(options.database, "load") as database:
        print(f"\nA morning of {options.size:,} graduates")
        # The addon to compare with brings the bare controller.
        odoo_env.install(database, "bench_naive")
        with Bench(database, options.size) as bench:
            bench.make_campus()
            bench.open_for_good()
            report["load"] = Load(bench, options.seconds).measure()


def _run_campaign(options, chosen, report):
    from odoo.addons.graduate_clearance.demo.campus import Campus
    from odoo.addons.graduate_clearance.tests.campaign import Campaign

    from . import odoo_env

    with odoo_env.copy_of(options.database, "campaign") as database:
        print(f"\nThe whole campaign of {options.size:,}")
        with odoo_env.open_cursor(database) as cr:
            campus = Campus(odoo_env.make_environment(cr), options.size)
            campus.build_roster()
            cr.commit()
            campaign = Campaign(campus, commit=cr.commit)
            start = time.monotonic()
            campaign.play()
            seconds = time.monotonic() - start
            print(campaign.describe())
        print(f"\n{seconds:.0f} s in all")
        report["campaign"] = {
            "seconds": round(seconds, 1),
            "changes": campaign.changes,
            "chapters": [chapter._asdict() for chapter in campaign.chapters],
        }


# -- what is printed ---------------------------------------------------------------------


def _describe_machine(database):
    from odoo.release import version

    from . import odoo_env

    with odoo_env.administer(database) as cursor:
        cursor.execute("SHOW server_version")
        server = cursor.fetchone()[0]
        settings = {}
        for name in ("shared_buffers", "work_mem", "fsync"):
            cursor.execute(f"SHOW {name}")
            settings[name] = cursor.fetchone()[0]
    return {
        "cores": os.cpu_count(),
        "cpu": _get_cpu(),
        "load": round(os.getloadavg()[0], 1),
        "python": platform.python_version(),
        "postgresql": server,
        "odoo": version,
        **settings,
    }


def _get_cpu():
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())


def _show_machine(machine):
    return (
        f"{machine['cores']} cores {machine['cpu']} (load {machine['load']} at the start), "
        f"PostgreSQL {machine['postgresql']} (shared_buffers {machine['shared_buffers']}, fsync {machine['fsync']}), "
        f"Python {machine['python']}, Odoo {machine['odoo']}"
    )


def _show_table(results):
    lines = [
        "| operation | rows | one SQL statement | the addon | × | aim | queries | tracked records, one by one |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for result in results:
        aim = f"{result['target']}" if result["target"] else ""
        usual = f"{_ms(result['usual_ms'])} (× {result['usual_ratio']:,.0f})" if result["usual_ms"] else ""
        lines.append(
            f"| {result['name']} | {result['rows']:,} | {_ms(result['raw_ms'])} | {_ms(result['ours_ms'])} "
            f"| {result['ratio']:.2f} | {aim} | {result['queries']} | {usual} |"
        )
    return "\n".join(lines)


def _ms(number):
    return f"{number:,.0f} ms" if number >= 100 else f"{number:,.1f} ms"


if __name__ == "__main__":
    sys.exit(main())
