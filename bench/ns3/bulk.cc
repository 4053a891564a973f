/* SPDX-License-Identifier: Apache-2.0 */
/* A bulk transfer between two nodes over one link in ns-3, as close to `bench_sim link=RATE,DELAY,queue=N time=T` as its API allows: CUBIC,
 * segments of 1448 bytes, SACK, timestamps, drop-tail, no traffic control layer. Prints packets sent by both nodes, processor time and bytes.
 *
 *   bulk RATE DELAY QUEUE_PACKETS SECONDS        bulk 20Mbps 25ms 83 30 */
#include "ns3/applications-module.h"
#include "ns3/core-module.h"
#include "ns3/internet-module.h"
#include "ns3/network-module.h"
#include "ns3/point-to-point-module.h"
#include "ns3/traffic-control-module.h"

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>

using namespace ns3;

static uint64_t packets;

static void count(Ptr<const Packet>)
{
    packets++;
}

static double cpu_seconds()
{
    struct timespec ts;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void defaults()
{
    Config::SetDefault("ns3::TcpL4Protocol::SocketType", TypeIdValue(TcpCubic::GetTypeId()));
    Config::SetDefault("ns3::TcpSocket::SegmentSize", UintegerValue(1448));
    Config::SetDefault("ns3::TcpSocket::InitialCwnd", UintegerValue(10));
    Config::SetDefault("ns3::TcpSocket::SndBufSize", UintegerValue(1 << 22));
    Config::SetDefault("ns3::TcpSocket::RcvBufSize", UintegerValue(1 << 22));
}

int main(int argc, char **argv)
{
    if (argc != 5) {
        std::fprintf(stderr, "usage: bulk RATE DELAY QUEUE_PACKETS SECONDS\n");
        return 2;
    }
    const double begin = cpu_seconds();
    const double seconds = std::atof(argv[4]);
    defaults();

    NodeContainer nodes;
    nodes.Create(2);
    PointToPointHelper link;
    link.SetDeviceAttribute("DataRate", StringValue(argv[1]));
    link.SetDeviceAttribute("Mtu", UintegerValue(1500));
    link.SetChannelAttribute("Delay", StringValue(argv[2]));
    link.SetQueue("ns3::DropTailQueue", "MaxSize", StringValue(std::string(argv[3]) + "p"));
    NetDeviceContainer devices = link.Install(nodes);
    InternetStackHelper stack;
    stack.Install(nodes);
    Ipv4AddressHelper addresses;
    addresses.SetBase("10.0.0.0", "255.255.255.0");
    Ipv4InterfaceContainer interfaces = addresses.Assign(devices);
    TrafficControlHelper control;
    control.Uninstall(devices);
    for (uint32_t i = 0; i < 2; i++)
        devices.Get(i)->TraceConnectWithoutContext("PhyTxBegin", MakeCallback(&count));

    const uint16_t port = 5001;
    PacketSinkHelper sink("ns3::TcpSocketFactory", InetSocketAddress(Ipv4Address::GetAny(), port));
    ApplicationContainer receivers = sink.Install(nodes.Get(1));
    BulkSendHelper bulk("ns3::TcpSocketFactory", InetSocketAddress(interfaces.GetAddress(1), port));
    bulk.SetAttribute("MaxBytes", UintegerValue(0));
    bulk.Install(nodes.Get(0));

    Simulator::Stop(Seconds(seconds));
    Simulator::Run();
    const uint64_t bytes = DynamicCast<PacketSink>(receivers.Get(0))->GetTotalRx();
    const double took = cpu_seconds() - begin;
    std::printf("%.3f s   %llu packets %.0f per s   %.1f MB\n", took, (unsigned long long)packets, (double)packets / took,
                (double)bytes / 1e6);
    Simulator::Destroy();
    return 0;
}
