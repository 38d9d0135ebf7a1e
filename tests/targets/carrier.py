# SPDX-License-Identifier: BSD-2-Clause
"""A runner in another language: python3 calls a library with the probes through ctypes.

    python3 carrier.py

It reads one order from each line of stdin. Each answer ends with a line "ok".

    load PATH     loads the library; later orders use the library that was loaded last
    go N          runs N commands of one step
    fork N        a child process runs N commands, and a child of that child N more
    workers N     forks N worker processes, which keep running; prints "worker PID" for each
    each N        every worker runs N commands
    hatch N       every worker forks a child process that runs N commands
    orphan N      this process ends at once; a child process waits for that and runs N commands
"""
import ctypes
import os
import sys
import time

library = None
workers = []


def load(path):
    global library
    library = ctypes.CDLL(path)


def go(count):
    library.carrier_run(int(count))


def in_child(work):
    child = os.fork()
    if child == 0:
        work()
        os._exit(0)
    os.waitpid(child, 0)
    return child


def fork(count):
    def both():
        go(count)
        in_child(lambda: go(count))
    in_child(both)


def orphan(count):
    parent = os.getpid()
    child = os.fork()
    if child:
        print("orphan", child, flush=True)
        os._exit(0)
    while os.getppid() == parent:
        time.sleep(0.002)
    go(count)
    os._exit(0)


def serve(orders, answers):
    with os.fdopen(orders) as lines:
        for line in lines:
            word, count = line.split()
            if word == "each":
                go(count)
            else:
                in_child(lambda: go(count))
            os.write(answers, b"x")
    os._exit(0)


def hire(count):
    for _ in range(int(count)):
        order_in, order_out = os.pipe()
        answer_in, answer_out = os.pipe()
        worker = os.fork()
        if worker == 0:
            os.close(order_out)
            for _, other_out, _ in workers:
                os.close(other_out)
            serve(order_in, answer_out)
        workers.append((worker, order_out, answer_in))
        os.close(order_in)
        os.close(answer_out)
        print("worker", worker)


def tell_all(line):
    for _, order_out, _ in workers:
        os.write(order_out, line.encode())
    for _, _, answer_in in workers:
        os.read(answer_in, 1)


for line in sys.stdin:
    word, *rest = line.split()
    if word in ("each", "hatch"):
        tell_all(line)
    else:
        {"load": load, "go": go, "fork": fork, "orphan": orphan, "workers": hire}[word](*rest)
    print("ok", flush=True)
for worker, order_out, _ in workers:
    os.close(order_out)
    os.waitpid(worker, 0)
