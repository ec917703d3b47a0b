// A runtime as aws-lambda-go is one: it asks for events with net/http and answers each.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
)

type event struct {
	Name string `json:"name"`
	Fail bool   `json:"fail"`
	Exit int    `json:"exit"`
}

func main() {
	base := "http://" + os.Getenv("AWS_LAMBDA_RUNTIME_API") + "/2018-06-01/runtime"
	for {
		next, err := http.Get(base + "/invocation/next")
		if err != nil {
			panic(err)
		}
		payload, _ := io.ReadAll(next.Body)
		next.Body.Close()
		id := next.Header.Get("Lambda-Runtime-Aws-Request-Id")
		var in event
		json.Unmarshal(payload, &in)
		fmt.Fprintln(os.Stderr, "handling", in.Name)
		if in.Exit != 0 {
			os.Exit(in.Exit)
		}
		path, body := "/response", map[string]string{"hello": in.Name, "cwd": cwd()}
		if in.Fail {
			path, body = "/error", map[string]string{"errorMessage": "as asked", "errorType": "errorString"}
		}
		document, _ := json.Marshal(body)
		answer, err := http.Post(base+"/invocation/"+id+path, "application/json", bytes.NewReader(document))
		if err != nil || answer.StatusCode != 202 {
			panic(fmt.Sprint("not accepted: ", err))
		}
		io.Copy(io.Discard, answer.Body)
		answer.Body.Close()
	}
}

func cwd() string {
	folder, _ := os.Getwd()
	return folder
}
