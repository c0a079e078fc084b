# SPDX-License-Identifier: Apache-2.0
"""Other instrumentations of the SDK: their environments, how each is activated, and what each is known to record."""
