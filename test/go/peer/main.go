// A Go program beside disco: registers and discovers as etcd's naming and as the seed layout's source documents do.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"sort"
	"strconv"
	"strings"
	"time"

	clientv3 "go.etcd.io/etcd/clientv3"
	"go.etcd.io/etcd/clientv3/naming/endpoints"
	naming "go.etcd.io/etcd/clientv3/naming/resolver"
	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/resolver"
)

const ttlSeconds = 3

// record is a value of the seed layout.
type record struct {
	Name    string `json:"name"`
	Addr    string `json:"addr"`
	Version string `json:"version"`
	Weight  int64  `json:"weight"`
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func main() {
	cli, err := clientv3.New(clientv3.Config{Endpoints: []string{os.Args[1]}, DialTimeout: 5 * time.Second})
	must(err)
	switch mode, args := os.Args[2], os.Args[3:]; mode {
	case "serve-naming":
		serveNaming(cli, args[0], args[1])
	case "serve-seed":
		serveSeed(cli, args[0], args[1], args[2])
	case "list-naming":
		listNaming(cli, args[0])
	case "dial-naming":
		builder, err := naming.NewBuilder(cli)
		must(err)
		dial(builder, "etcd:///"+args[0])
	case "dial-seed":
		dial(&seedBuilder{cli: cli}, "etcd://"+args[1]+"/"+args[0])
	}
}

// listen starts a server that answers health checks, and returns its address.
func listen() string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(err)
	server := grpc.NewServer()
	healthpb.RegisterHealthServer(server, health.NewServer())
	go server.Serve(listener)
	return listener.Addr().String()
}

// serveNaming registers by etcd's endpoint manager with a scalar Metadata, and renews its lease by KeepAliveOnce.
func serveNaming(cli *clientv3.Client, target, metadata string) {
	addr := listen()
	manager, err := endpoints.NewManager(cli, target)
	must(err)
	lease, err := cli.Grant(context.TODO(), ttlSeconds)
	must(err)
	endpoint := endpoints.Endpoint{Addr: addr, Metadata: metadata}
	must(manager.AddEndpoint(context.TODO(), target+"/"+addr, endpoint, clientv3.WithLease(lease.ID)))
	fmt.Println(addr)
	for range time.Tick(time.Second) {
		_, err := cli.KeepAliveOnce(context.TODO(), lease.ID)
		must(err)
	}
}

// serveSeed registers under a lease that a stream keeps alive.
func serveSeed(cli *clientv3.Client, name, version, weight string) {
	addr := listen()
	number, err := strconv.ParseInt(weight, 10, 64)
	must(err)
	lease, err := cli.Grant(context.TODO(), ttlSeconds)
	must(err)
	value, err := json.Marshal(record{name, addr, version, number})
	must(err)
	key := "/" + name + "/" + version + "/" + addr
	_, err = cli.Put(context.TODO(), key, string(value), clientv3.WithLease(lease.ID))
	must(err)
	kept, err := cli.KeepAlive(context.Background(), lease.ID)
	must(err)
	fmt.Println(addr)
	for range kept {
	}
}

func listNaming(cli *clientv3.Client, target string) {
	manager, err := endpoints.NewManager(cli, target)
	must(err)
	found, err := manager.List(context.TODO())
	must(err)
	must(json.NewEncoder(os.Stdout).Encode(found))
}

// dial calls until an interval passes without a new peer, and prints the peers.
func dial(builder resolver.Builder, target string) {
	config := `{"loadBalancingPolicy":"round_robin"}`
	conn, err := grpc.Dial(target, grpc.WithInsecure(), grpc.WithResolvers(builder), grpc.WithDefaultServiceConfig(config))
	must(err)
	seen := map[string]bool{}
	for call := 0; call < 20; call++ {
		var from peer.Peer
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		_, err := healthpb.NewHealthClient(conn).Check(ctx, &healthpb.HealthCheckRequest{}, grpc.Peer(&from), grpc.WaitForReady(true))
		cancel()
		must(err)
		seen[from.Addr.String()] = true
		time.Sleep(50 * time.Millisecond)
	}
	peers := []string{}
	for addr := range seen {
		peers = append(peers, addr)
	}
	sort.Strings(peers)
	fmt.Println(strings.Join(peers, " "))
}

// seedBuilder resolves the seed layout: a list of the prefix, then a watch.
type seedBuilder struct {
	cli    *clientv3.Client
	prefix string
	cc     resolver.ClientConn
	addrs  map[string]resolver.Address
}

func (b *seedBuilder) Scheme() string                        { return "etcd" }
func (b *seedBuilder) ResolveNow(resolver.ResolveNowOptions) {}
func (b *seedBuilder) Close()                                {}

func (b *seedBuilder) Build(target resolver.Target, cc resolver.ClientConn, _ resolver.BuildOptions) (resolver.Resolver, error) {
	b.cc, b.addrs = cc, map[string]resolver.Address{}
	b.prefix = "/" + target.Endpoint + "/" + target.Authority + "/"
	listed, err := b.cli.Get(context.TODO(), b.prefix, clientv3.WithPrefix())
	if err != nil {
		return nil, err
	}
	for _, kv := range listed.Kvs {
		b.put(string(kv.Key), kv.Value)
	}
	b.update()
	go func() {
		from := clientv3.WithRev(listed.Header.Revision + 1)
		for changes := range b.cli.Watch(context.Background(), b.prefix, clientv3.WithPrefix(), from) {
			for _, event := range changes.Events {
				if event.Type == clientv3.EventTypeDelete {
					delete(b.addrs, string(event.Kv.Key))
				} else {
					b.put(string(event.Kv.Key), event.Kv.Value)
				}
			}
			b.update()
		}
	}()
	return b, nil
}

func (b *seedBuilder) put(key string, value []byte) {
	var found record
	if json.Unmarshal(value, &found) == nil {
		b.addrs[key] = resolver.Address{Addr: found.Addr}
	}
}

func (b *seedBuilder) update() {
	all := []resolver.Address{}
	for _, addr := range b.addrs {
		all = append(all, addr)
	}
	b.cc.UpdateState(resolver.State{Addresses: all})
}
