from . import bench_naive_form, bench_naive_status
