# SPDX-License-Identifier: Apache-2.0
"""An application and a transport in memory: answers of any bytes, cut into chunks anywhere, without a socket."""
