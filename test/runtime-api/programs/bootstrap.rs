// A runtime with the standard library alone: one connection for each request, HTTP/1.1 by hand.
use std::env;
use std::io::{Read, Write};
use std::net::TcpStream;

fn call(api: &str, method: &str, path: &str, body: &str) -> (String, String) {
    let mut stream = TcpStream::connect(api).expect("connect");
    let head = format!(
        "{method} /2018-06-01/runtime{path} HTTP/1.1\r\nHost: {api}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).expect("write");
    stream.write_all(body.as_bytes()).expect("write");
    let mut text = String::new();
    stream.read_to_string(&mut text).expect("read");
    let (head, body) = text.split_once("\r\n\r\n").expect("a head");
    (head.to_string(), body.to_string())
}

fn main() {
    let api = env::var("AWS_LAMBDA_RUNTIME_API").expect("AWS_LAMBDA_RUNTIME_API");
    loop {
        let (head, event) = call(&api, "GET", "/invocation/next", "");
        let id = head
            .lines()
            .find_map(|line| line.strip_prefix("Lambda-Runtime-Aws-Request-Id: "))
            .expect("an id")
            .to_string();
        println!("rust sees {event}");
        call(&api, "POST", &format!("/invocation/{id}/response"), &event);
    }
}
