//! Mutated answers of servers, and links.
#![expect(dead_code, unreachable_pub, reason = "the files alone, of which the rest of the crate uses more")]

mod exercise;
// The files alone: they are not public.
#[path = "../src/limits.rs"]
mod limits;
#[path = "../src/link.rs"]
mod link;
#[path = "../src/dhcp/message.rs"]
mod message;
#[path = "../../wire/tests/mutate/mod.rs"]
mod mutate;
#[path = "../src/ssh/packet.rs"]
mod packet;
#[path = "../src/ftp/reply.rs"]
mod reply;

fn run(target: &str, dictionary: &[&[u8]], exercise: fn(&[u8])) {
    let corpus = format!("{}/../../fuzz/corpus/{target}", env!("CARGO_MANIFEST_DIR"));
    mutate::run(target, &mutate::seeds(&[corpus], |_| true), dictionary, exercise);
}

#[test]
fn mutated_answers_of_ftp_servers() {
    let dictionary: &[&[u8]] = &[
        b"229 ",
        b"227 ",
        b"(|||",
        b"|)",
        b"65536",
        b"0",
        b",",
        b"220-",
        b"\r\n",
        b"\n",
        b"550 No such file",
        b"\xff",
    ];
    run("ftp_reply", dictionary, exercise::ftp_reply);
}

#[test]
fn mutated_packets_of_sftp_servers() {
    let dictionary: &[&[u8]] = &[
        b"\x65",
        b"\x66",
        b"\x67",
        b"\x68",
        b"\x69",
        b"\xff\xff\xff\xff",
        b"\x80\0\0\0",
        b"\0\0\0\x0f",
        b"\0\0\0\x01",
    ];
    run("sftp_packet", dictionary, exercise::sftp_packet);
}

#[test]
fn mutated_answers_of_dhcp_servers() {
    let dictionary: &[&[u8]] = &[
        b"\x35\x01\x05",
        b"\x34\x01\x03",
        b"\xff",
        b"\x00",
        b"\xa0",
        b"\x42",
        b"\x43",
        b"\x2b",
        b"\x7d",
        b"http://",
        b"/",
    ];
    run("dhcp_answer", dictionary, exercise::dhcp_answer);
}

#[test]
fn mutated_links() {
    let dictionary: &[&[u8]] = &[
        b"://",
        b"@",
        b":",
        b"/",
        b"%2F",
        b"%0D%0A",
        b"%",
        b"[::1]",
        b"~",
        b"..",
        b"?",
        b"#",
        b"sftp",
        b"ftpes",
        b"\xe7\x8e\x8b",
    ];
    run("link", dictionary, exercise::link);
}
