# SPDX-License-Identifier: Apache-2.0
"""Whether what is measured is what it says it is."""
