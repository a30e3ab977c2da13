// Command echo answers every request with what it got, as JSON, and says which pod it is.
//
//	?status=503     answers with that status
//	?delayMs=200    waits before it answers
//	?bytes=100000   adds that much to the body
//
// On SIGTERM it takes no new connection at once, as most programs do, and ends with its last request.
package main

import (
	"context"
	"encoding/json"
	"log"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"
)

type answer struct {
	Method    string              `json:"method"`
	Path      string              `json:"path"`
	Query     string              `json:"query"`
	Protocol  string              `json:"protocol"`
	Host      string              `json:"host"`
	Headers   map[string][]string `json:"headers"`
	Peer      string              `json:"peer"`
	Namespace string              `json:"namespace"`
	Service   string              `json:"service"`
	Pod       string              `json:"pod"`
	Filler    string              `json:"filler,omitempty"`
}

func echo(w http.ResponseWriter, r *http.Request) {
	number := func(name string) int {
		value, _ := strconv.Atoi(r.URL.Query().Get(name))
		return value
	}
	time.Sleep(time.Duration(number("delayMs")) * time.Millisecond)
	body, err := json.Marshal(answer{
		Method: r.Method, Path: r.URL.Path, Query: r.URL.RawQuery, Protocol: r.Proto, Host: r.Host, Headers: r.Header,
		Peer: r.RemoteAddr, Namespace: os.Getenv("NAMESPACE"), Service: os.Getenv("SERVICE"), Pod: os.Getenv("POD"),
		Filler: strings.Repeat("x", number("bytes")),
	})
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	if status := number("status"); status != 0 {
		w.WriteHeader(status)
	}
	w.Write(body)
}

func main() {
	server := &http.Server{Addr: ":3000", Handler: http.HandlerFunc(echo)}
	terminate, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	drained := make(chan struct{})
	go func() {
		<-terminate.Done()
		server.Shutdown(context.Background())
		close(drained)
	}()
	if err := server.ListenAndServe(); err != http.ErrServerClosed {
		log.Fatal(err)
	}
	<-drained
}
