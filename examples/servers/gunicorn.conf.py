# SPDX-License-Identifier: Apache-2.0
"""gunicorn forks its workers, so each worker sets OpenTelemetry up after the fork."""

import telemetry


def post_fork(server, worker):
    telemetry.set_up()
