// centrifuge-go against the gateway; as ../../centrifuge_client.js. Without tokens the client is
// anonymous, which the gateway must have been told to allow.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"os"
	"sync"
	"time"

	"github.com/centrifugal/centrifuge-go"

	"sluice/e2e/expect"
)

const patience = 20 * time.Second

type arguments struct {
	URL    string   `json:"url"`
	Tokens []string `json:"tokens"`
	User   string   `json:"user"`
}

// What the client's goroutines have told; read by the main one.
type heard struct {
	sync.Mutex
	client        string
	asked         int
	publications  []centrifuge.Publication
	subscriptions []centrifuge.SubscribedEvent
	mail          []centrifuge.ServerPublicationEvent
	joins         []centrifuge.JoinEvent
	refused       []centrifuge.UnsubscribedEvent
}

func (h *heard) eventually(what string, condition func() bool) {
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		h.Lock()
		is := condition()
		h.Unlock()
		if is {
			return
		}
	}
	log.Fatalf("no %s", what)
}

func connect(args arguments, h *heard) *centrifuge.Client {
	config := centrifuge.Config{MinReconnectDelay: 50 * time.Millisecond, MaxReconnectDelay: 200 * time.Millisecond}
	if len(args.Tokens) > 0 {
		config.GetToken = func(centrifuge.ConnectionTokenEvent) (string, error) {
			h.Lock()
			defer h.Unlock()
			h.asked++
			return args.Tokens[min(h.asked, len(args.Tokens))-1], nil
		}
	}
	client := centrifuge.NewJsonClient(args.URL, config)
	client.OnConnected(func(e centrifuge.ConnectedEvent) {
		h.Lock()
		defer h.Unlock()
		h.client = e.ClientID
	})
	client.OnPublication(func(e centrifuge.ServerPublicationEvent) {
		h.Lock()
		defer h.Unlock()
		h.mail = append(h.mail, e)
	})
	if err := client.Connect(); err != nil {
		log.Fatal(err)
	}
	h.eventually("connection", func() bool { return len(h.client) == 36 })
	return client
}

func subscribe(client *centrifuge.Client, h *heard) *centrifuge.Subscription {
	sub := expect.Must(client.NewSubscription("hist:1", centrifuge.SubscriptionConfig{JoinLeave: true}))
	sub.OnSubscribed(func(e centrifuge.SubscribedEvent) {
		h.Lock()
		defer h.Unlock()
		h.subscriptions = append(h.subscriptions, e)
	})
	sub.OnPublication(func(e centrifuge.PublicationEvent) {
		h.Lock()
		defer h.Unlock()
		h.publications = append(h.publications, e.Publication)
	})
	sub.OnJoin(func(e centrifuge.JoinEvent) {
		h.Lock()
		defer h.Unlock()
		h.joins = append(h.joins, e)
	})
	if err := sub.Subscribe(); err != nil {
		log.Fatal(err)
	}
	h.eventually("subscription", func() bool { return len(h.subscriptions) == 1 && len(h.joins) == 1 })
	return sub
}

// What needs no lost connection.
func ask(client *centrifuge.Client, sub *centrifuge.Subscription, user string, h *heard) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	expect.Check(h.subscriptions[0].Recoverable && h.subscriptions[0].Positioned, "not recoverable")
	expect.Check(h.joins[0].Client == h.client, "somebody else joined")
	expect.Must(sub.Publish(ctx, []byte(`{"text":"first"}`)))
	h.eventually("publication", func() bool { return len(h.publications) == 1 })
	info := h.publications[0].Info
	expect.Check(info.Client == h.client && info.User == user, "published by %v", info)
	presence := expect.Must(sub.Presence(ctx))
	_, isThere := presence.Clients[h.client]
	expect.Check(isThere && len(presence.Clients) == 1, "present: %v", presence.Clients)
	stats := expect.Must(sub.PresenceStats(ctx))
	expect.Check(stats.NumClients == 1 && stats.NumUsers == 1, "stats: %v", stats)
	history := expect.Must(sub.History(ctx, centrifuge.WithHistoryLimit(10)))
	expect.Check(len(history.Publications) == 1 && history.Offset == 1, "history: %v", history)
	_, err := client.RPC(ctx, "m", []byte("{}"))
	var refusal *centrifuge.Error
	expect.Check(errors.As(err, &refusal) && refusal.Code == 104, "rpc: %v", err)
	unknown := expect.Must(client.NewSubscription("nope:1"))
	unknown.OnUnsubscribed(func(e centrifuge.UnsubscribedEvent) {
		h.Lock()
		defer h.Unlock()
		h.refused = append(h.refused, e)
	})
	if err := unknown.Subscribe(); err != nil {
		log.Fatal(err)
	}
	h.eventually("refusal", func() bool { return len(h.refused) == 1 && h.refused[0].Code == 102 })
}

func main() {
	log.SetFlags(log.Lshortfile)
	var args arguments
	if err := json.Unmarshal([]byte(os.Args[1]), &args); err != nil {
		log.Fatal(err)
	}
	var h heard
	client := connect(args, &h)
	sub := subscribe(client, &h)
	ask(client, sub, args.User, &h)

	fmt.Println("ready")
	h.eventually("last publication", func() bool {
		return len(h.publications) > 0 && string(h.publications[len(h.publications)-1].Data) == `"end"`
	})
	said := ""
	for i, one := range h.publications {
		said += string(one.Data) + " "
		expect.Check(one.Offset == uint64(i+1), "offset %d at %d", one.Offset, i)
	}
	expect.Check(said == `{"text":"first"} 1 2 "end" `, "heard %s", said)
	h.eventually("second subscription", func() bool { return len(h.subscriptions) == 2 })
	expect.Check(h.subscriptions[1].WasRecovering && h.subscriptions[1].Recovered, "not recovered")
	if len(args.Tokens) > 0 {
		h.eventually("mail", func() bool { return len(h.mail) == 1 })
		expect.Check(h.mail[0].Channel == "#"+args.User, "mail in %s", h.mail[0].Channel)
		h.eventually("refresh", func() bool { return h.asked >= 2 })
	}
	expect.Check(client.State() == centrifuge.StateConnected, "not connected")
	client.Close()
	fmt.Println("done")
}
