"""A results file opens, with its labels, in the programs that people have: h5py, xarray, pandas, h5dump.

The file is what the GoogleTest case RunStore.WritesAnExampleForOtherReaders leaves: ROUNDTRIP_EXAMPLE_RESULTS names one
that is there, or ROUNDTRIP_STORE_TEST names the program that writes it. ROUNDTRIP_RESULTS, if given, names the results of
a real run (several, joined by ':'), which must open just as well.
"""

import os
import pathlib
import shutil
import subprocess
import warnings

import h5py
import numpy as np
import pandas as pd
import pytest
import xarray as xr

ROOT = pathlib.Path(__file__).resolve().parents[2]


def store_test_programs():
    named = os.environ.get("ROUNDTRIP_STORE_TEST")
    return [pathlib.Path(named)] if named else sorted(ROOT.glob("build/*/store_test"))


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    there = os.environ.get("ROUNDTRIP_EXAMPLE_RESULTS")
    if there and os.path.exists(there):
        return there
    programs = store_test_programs()
    if not programs:
        pytest.skip("NOT TESTED: build store_test, or name it in ROUNDTRIP_STORE_TEST")
    path = str(tmp_path_factory.mktemp("results") / "results.h5")
    subprocess.run(
        [programs[0], "--gtest_filter=RunStore.WritesAnExampleForOtherReaders"],
        env=os.environ | {"ROUNDTRIP_EXAMPLE_RESULTS": path},
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return path


@pytest.fixture(autouse=True)
def warnings_are_errors():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


SAMPLES = [f'café/"quoted"\n{row}' for row in range(3)]


def test_h5py_reads_columns_and_attributes(results):
    with h5py.File(results) as file:
        assert file.attrs["Conventions"] == "roundtrip-1"
        assert file.attrs["schema_version"] == 1
        assert (file.attrs["records_planned"], file.attrs["records_written"], file.attrs["complete"]) == (4, 3, 0)
        assert list(file["sample"].asstr()[:]) == SAMPLES
        assert list(file["steps"][:]) == [10, -1, 10]
        psnr = file["psnr"]
        np.testing.assert_array_equal(psnr[:], [20 + np.sin(0), np.nan, 20 + np.sin(2)])
        assert psnr.attrs["units"] == "dB"
        assert psnr.attrs["direction"] == "higher"
        assert psnr.attrs["metric_version"] == "psnr-1"
        assert psnr.dims[0].keys() == ["record"]
        assert (psnr.compression, psnr.compression_opts, psnr.shuffle, psnr.fletcher32) == ("gzip", 4, True, True)
        assert psnr.dtype == np.dtype("<f8") and file["steps"].dtype == np.dtype("<i8")
        assert file["provenance"].attrs["host"] == "nowhere"
        assert list(file["trials/config_yaml"].asstr()[:]) == ["steps: 10\n", 'steps: 20\nprompt: "naïve"\n']


def test_h5py_reads_arrays_of_rows(results):
    with h5py.File(results) as file:
        path = file["trajectories/2/invert"]
        assert path.dtype == np.dtype("<f4") and path.shape == (2, 1, 2, 2)
        assert path[1, 0, 1, 1] == 2
        image = file["images/1"]
        assert image.dtype == np.uint8
        np.testing.assert_array_equal(image[:], np.arange(18).reshape(2, 3, 3))
        assert image.attrs["CLASS"] == b"IMAGE" and image.attrs["IMAGE_SUBCLASS"] == b"IMAGE_TRUECOLOR"


def test_h5py_lists_columns_in_the_order_of_the_table(results):
    with h5py.File(results, track_order=True) as file:
        names = list(file)
    assert names[:4] == ["record", "plan_row", "trial", "sample"]
    assert names.index("p.inner_steps") == names.index("edit_type") + 1
    assert names.index("noise_kl") < names.index("per_step")


def test_xarray_reads_the_table(results):
    with xr.open_dataset(results, engine="h5netcdf") as table:
        assert dict(table.sizes) == {"record": 3}
        assert list(table.indexes["record"]) == [0, 1, 2]
        assert list(table["sample"].values) == SAMPLES
        assert table["steps"].dtype == np.int64
        assert np.isnan(table["psnr"].sel(record=1))
        assert table["psnr"].attrs["long_name"] == "peak signal-to-noise ratio"
        assert table["psnr"].attrs["units"] == "dB"
        assert table.attrs["title"] == "an example"
        # "s" is a unit, not a request for timedelta64.
        assert table["encode_seconds"].dtype == np.float64 and table["encode_seconds"][0] == 0.25
        assert list(table["error"].values) == ["", "", ""]


def test_xarray_reads_steps_and_trials(results):
    with xr.open_dataset(results, engine="h5netcdf", group="per_step") as steps:
        assert dict(steps.sizes) == {"step_row": 6}
        assert list(steps["record"].values) == [0, 0, 1, 1, 2, 2]
        assert list(steps["t"].values) == [100, 200] * 3
        assert steps["loss"].isnull().all()
        assert (steps["inner_steps"] == -1).all()
    with xr.open_dataset(results, engine="h5netcdf", group="trials") as trials:
        assert trials["config_yaml"].sel(trial=1) == 'steps: 20\nprompt: "naïve"\n'


def test_pandas_groups_by_columns(results):
    with xr.open_dataset(results, engine="h5netcdf") as table:
        frame = table.to_dataframe()
    assert isinstance(frame, pd.DataFrame) and len(frame) == 3
    assert frame.groupby("trial")["psnr"].mean()[0] == pytest.approx(20 + np.sin(2) / 2)
    with xr.open_dataset(results, engine="h5netcdf", group="per_step") as steps:
        joined = steps.to_dataframe().join(frame[["sample"]], on="record")
    assert list(joined["sample"][::2]) == SAMPLES


def test_h5dump_describes_it(results):
    if not shutil.which("h5dump"):
        pytest.skip("NOT TESTED: h5dump (hdf5-tools) is not there")
    dump = subprocess.run(["h5dump", "-H", results], capture_output=True, text=True)
    assert dump.returncode == 0 and dump.stderr == ""
    for words in ('DATASET "psnr"', "H5T_IEEE_F64LE", 'ATTRIBUTE "DIMENSION_LIST"', 'GROUP "per_step"', "H5T_CSET_UTF8"):
        assert words in dump.stdout, words


@pytest.mark.parametrize("path", [path for path in os.environ.get("ROUNDTRIP_RESULTS", "").split(":") if path])
def test_results_of_a_run_open_everywhere(path):
    with h5py.File(path) as file:
        rows = file.attrs["records_written"]
    with xr.open_dataset(path, engine="h5netcdf") as table:
        assert table.sizes["record"] == rows
        assert len(table.to_dataframe()) == rows
    for group in ("per_step", "trials"):
        xr.open_dataset(path, engine="h5netcdf", group=group).load().close()
