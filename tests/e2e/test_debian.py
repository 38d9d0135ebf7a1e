# SPDX-License-Identifier: BSD-2-Clause
"""What debian/ has in common with other files of the project. tests/packages/run builds and
installs the packages."""
import glob
import os
import re
import subprocess
import unittest

from harness import ROOT, EndToEnd, run


def text_of(*path):
    with open(os.path.join(ROOT, *path), encoding="utf-8") as file:
        return file.read()


class Debian(EndToEnd):
    def test_build_depends(self):
        """The packages for building, except those that every build has."""
        wanted = subprocess.run([os.path.join(ROOT, "packages"), "list", "build"], text=True,
                                capture_output=True, check=True).stdout.split()
        field = re.search(r"^Build-Depends:((?:.*\n)(?: .*\n)*)", text_of("debian", "control"),
                          re.MULTILINE).group(1)
        named = {each.strip() for each in field.split(",")}
        self.assertEqual(named - {"debhelper-compat (= 13)"}, set(wanted) - {"gcc", "libc6-dev"})

    def test_version(self):
        newest = re.match(r"steptrace \(([^)]+)\)", text_of("debian", "changelog")).group(1)
        self.assertEqual("steptrace %s\n" % newest, run("--version")[1])

    def test_every_man_page_is_in_a_package(self):
        installed = "".join(text_of(path) for path in glob.glob(
            os.path.join(ROOT, "debian", "*.install")))
        for page in glob.glob(os.path.join(ROOT, "docs", "man", "*")):
            name = os.path.basename(page)
            self.assertIn("usr/share/man/man%s/%s\n" % (name[-1], name), installed)


if __name__ == "__main__":
    unittest.main()
