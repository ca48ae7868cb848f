// gocent against the server API, which it calls in its older form: argument 1 is the address, 2 the
// key. Says "done" at the end.
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"time"

	"github.com/centrifugal/gocent/v3"

	"sluice/e2e/expect"
)

func main() {
	log.SetFlags(log.Lshortfile)
	client := gocent.New(gocent.Config{Addr: os.Args[1], Key: os.Args[2]})
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()

	first := expect.Must(client.Publish(ctx, "news:1", []byte(`{"n":1}`)))
	expect.Check(first.Offset == 1 && first.Epoch != "", "published at %v", first)
	each := expect.Must(client.Broadcast(ctx, []string{"news:1", "nope:1"}, []byte("2"))).Responses
	expect.Check(len(each) == 2 && each[0].Result.Offset == 2 && each[1].Error.Code == 102, "broadcast: %v", each)
	history := expect.Must(client.History(ctx, "news:1", gocent.WithLimit(-1)))
	expect.Check(len(history.Publications) == 2 && string(history.Publications[0].Data) == `{"n":1}`,
		"history: %v", history)
	expect.Check(len(expect.Must(client.Presence(ctx, "news:1")).Presence) == 0, "somebody is present")
	expect.Check(expect.Must(client.PresenceStats(ctx, "news:1")).NumClients == 0, "somebody is counted")
	expect.Check(len(expect.Must(client.Info(ctx)).Nodes) == 1, "another number of nodes")
	_, err := client.Publish(ctx, "nope:1", []byte("1"))
	expect.Check(err != nil && err.Error() == "unknown channel: 102", "refused by %v", err)

	pipe := client.Pipe()
	for i := 0; i < 3; i++ {
		expect.Check(pipe.AddPublish("news:2", []byte(fmt.Sprint(i))) == nil, "not added")
	}
	expect.Check(pipe.AddDisconnect("7") == nil && pipe.AddHistory("news:2", gocent.WithLimit(-1)) == nil, "not added")
	replies := expect.Must(client.SendPipe(ctx, pipe))
	expect.Check(len(replies) == 5, "%d replies", len(replies))
	for _, reply := range replies {
		expect.Check(reply.Error == nil, "refused by %v", reply.Error)
	}
	fmt.Println("done")
}
