# SPDX-License-Identifier: Apache-2.0
"""A Celery application whose task asks Claude. Celery forks its workers and ends them without Python's exit handlers,
so OpenTelemetry is set up after the fork and shut down by Celery's signal.
"""

import anthropic
import telemetry
from celery import Celery
from celery.signals import worker_process_init, worker_process_shutdown

app = Celery("tasks")
app.config_from_envvar("CELERY_CONFIG_MODULE", silent=True)  # the broker; without it, RabbitMQ at localhost


@worker_process_init.connect
def start(**_):
    telemetry.set_up()


@worker_process_shutdown.connect
def stop(**_):
    telemetry.shut_down()


@app.task
def ask():
    with anthropic.Anthropic(max_retries=0).messages.stream(
        model="claude-sonnet-5", max_tokens=256, messages=[{"role": "user", "content": "What is entropy?"}]
    ) as stream:
        return stream.get_final_text()
