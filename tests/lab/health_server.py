"""gRPC's own health server (grpcio-health-checking): it serves "" and "shop.Cart", which do not while the file SICK exists.
health_server.py PORT SICK"""
import os
import sys
import time
from concurrent import futures

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

SERVICES = ("", "shop.Cart")


def main(port, sick):
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=2))
    servicer = health.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
    server.add_insecure_port(f"[::]:{port}")
    last = None
    server.start()
    while True:
        is_sick = os.path.exists(sick)
        if is_sick != last:
            status = health_pb2.HealthCheckResponse.NOT_SERVING if is_sick else health_pb2.HealthCheckResponse.SERVING
            for service in SERVICES:
                servicer.set(service, status)
            last = is_sick
        time.sleep(0.1)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
