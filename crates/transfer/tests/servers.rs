//! Against servers that misbehave: what comes by half, from elsewhere, or from somebody else is not taken (S3.3, sec_14).

use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpListener;
use transfer::{Fetched, Link, Rules, SshRules, Transfer};

fn transfer(token: &str, allow: &[&str]) -> Transfer {
    let allow = allow.iter().map(|text| text.parse().expect("a network")).collect();
    let tls = Err("no authorities".to_owned());
    Transfer::new(Rules {
        allow,
        hint: "; --allow names them",
        tls,
        token: token.to_owned(),
        ssh: SshRules::default(),
    })
}

fn here() -> Transfer {
    transfer("", &["127.0.0.1"])
}

fn link(text: &str) -> Link {
    text.parse().expect("a link")
}

fn whole(bytes: &[u8], tag: Option<&str>) -> Result<Fetched, String> {
    Ok(Fetched::Bytes { bytes: bytes.to_vec(), tag: tag.map(str::to_owned) })
}

/// A web server that answers one request after another with these texts, and keeps what it was asked.
async fn web(answers: &[&str]) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let at = listener.local_addr().expect("an address");
    let (asked, answers) = (Arc::new(Mutex::new(Vec::new())), answers.iter().map(|&text| text.to_owned()));
    let (keep, answers): (_, Vec<String>) = (Arc::clone(&asked), answers.collect());
    tokio::spawn(async move {
        for answer in answers {
            let (mut stream, _) = listener.accept().await.expect("a client");
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") {
                request.push(stream.read_u8().await.expect("a request"));
            }
            keep.lock().expect("a lock").push(String::from_utf8_lossy(&request).into_owned());
            stream.write_all(answer.as_bytes()).await.expect("an answer");
        }
    });
    (format!("http://{at}/ada.csv"), asked)
}

#[tokio::test]
async fn a_file_comes_whole_or_goes_on_or_is_not_taken() {
    let head = "HTTP/1.1 200 OK\r\nETag: \"a\"\r\nContent-Length: 10\r\n\r\n";
    let rest = "HTTP/1.1 206 Partial\r\nETag: \"a\"\r\nContent-Range: bytes 4-9/10\r\nContent-Length: 6\r\n\r\n456789";
    let (url, asked) = web(&[&format!("{head}0123"), rest]).await;
    assert_eq!(here().fetch(&link(&url), None).await, whole(b"0123456789", Some("\"a\"")));
    let asked = asked.lock().expect("a lock")[1].to_ascii_lowercase();
    assert!(asked.contains("range: bytes=4-") && asked.contains("if-range: \"a\""), "{asked}");

    // The file is another meanwhile: it comes from its beginning.
    let other = "HTTP/1.1 200 OK\r\nETag: \"b\"\r\nContent-Length: 2\r\n\r\nxy";
    let (url, _) = web(&[&format!("{head}0123"), other]).await;
    assert_eq!(here().fetch(&link(&url), None).await, whole(b"xy", Some("\"b\"")));

    for (answers, why) in [
        (vec![format!("{head}0123"), rest.replace("\"a\"", "\"b\"")], "what came then was not its rest"),
        (vec![format!("{head}0123").replace("\"a\"", "W/\"a\"")], "it broke off after 4 octets"),
        (vec!["HTTP/1.1 200 OK\r\n\r\n0123".to_owned()], "does not say how long"),
        (vec![head.replace("10", "1073741825")], "more than 1073741824 octets"),
        (vec![head.replace("ETag: \"a\"", "Content-Encoding: gzip")], "compressed"),
        (vec!["HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n0123\r\n".to_owned()], "broke off"),
        (vec!["HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n".to_owned()], "it answers HTTP 503"),
        (vec!["HTTP/1.1 304 No\r\n\r\n".to_owned()], "it answers HTTP 304"),
    ] {
        let answers: Vec<&str> = answers.iter().map(String::as_str).collect();
        let (url, _) = web(&answers).await;
        let refused = here().fetch(&link(&url), None).await.expect_err(why);
        assert!(refused.contains(why), "{refused}");
    }
}

#[tokio::test]
async fn what_is_here_is_not_sent_again_and_what_is_gone_is_missing() {
    let (url, asked) = web(&["HTTP/1.1 304 Same\r\nETag: \"a\"\r\n\r\n"]).await;
    assert_eq!(here().fetch(&link(&url), Some("\"a\"")).await, Ok(Fetched::Same));
    assert!(asked.lock().expect("a lock")[0].to_ascii_lowercase().contains("if-none-match: \"a\""));
    for status in [404, 405, 410] {
        let (url, _) = web(&[&format!("HTTP/1.1 {status} Gone\r\nContent-Length: 0\r\n\r\n")]).await;
        assert_eq!(here().fetch(&link(&url), None).await, Ok(Fetched::Missing), "{status}");
    }
}

#[tokio::test]
async fn sec_14_a_link_or_a_redirect_leads_only_where_it_may() {
    let (url, asked) =
        web(&["HTTP/1.1 302 On\r\nLocation: https://127.0.0.2/x\r\nContent-Length: 0\r\n\r\n"]).await;
    let refused = here().fetch(&link(&url), None).await.expect_err("it is refused");
    assert!(refused.starts_with("nothing is sent to 127.0.0.2, which is this machine; --allow"), "{refused}");
    assert_eq!(asked.lock().expect("a lock").len(), 1);
    let nobody = transfer("", &[]);
    for text in [
        &url,
        "ftp://127.0.0.1:1/a",
        "sftp://127.0.0.1:1/a",
        "scp://[::ffff:10.0.0.1]/a",
        "http://169.254.169.254/latest/meta-data",
    ] {
        let refused = nobody.fetch(&link(text), None).await.expect_err("it is refused");
        assert!(refused.starts_with("nothing is sent to"), "{text}: {refused}");
        assert!(nobody.put(&link(text), b"x").await.is_err());
    }
}

#[tokio::test]
async fn a_token_goes_by_https_alone() {
    let (url, asked) = web(&["HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n"]).await;
    let refused = transfer("secret", &["127.0.0.1"]).put(&link(&url), b"x").await.expect_err("it is refused");
    assert!(refused.contains("by https alone (HTTP 401)"), "{refused}");
    assert!(!asked.lock().expect("a lock")[0].contains("secret"));
}

/// An FTP server by a script: what is answered by verb; `{port}` is the one of its data, which it sends to whoever connects.
async fn ftp(
    script: &'static [(&'static str, &'static str)],
    data: &'static [u8],
) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let at = listener.local_addr().expect("an address");
    let said = Arc::new(Mutex::new(Vec::new()));
    let keep = Arc::clone(&said);
    tokio::spawn(async move {
        let passive = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = passive.local_addr().expect("an address").port();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = passive.accept().await {
                let _ = stream.write_all(data).await;
            }
        });
        let (stream, _) = listener.accept().await.expect("a client");
        let mut stream = BufReader::new(stream);
        let mut answer = script[0].1.to_owned();
        loop {
            let answer_now = answer.replace("{port}", &port.to_string());
            let answer_now = answer_now.replace("{high}", &(port >> 8).to_string());
            let answer_now = answer_now.replace("{low}", &(port & 255).to_string());
            if stream.get_mut().write_all(answer_now.as_bytes()).await.is_err() {
                return;
            }
            let mut line = String::new();
            if stream.read_line(&mut line).await.unwrap_or(0) == 0 {
                return;
            }
            let verb = line.split_whitespace().next().unwrap_or_default().to_owned();
            let before =
                keep.lock().expect("a lock").iter().filter(|one: &&String| one.starts_with(&verb)).count();
            keep.lock().expect("a lock").push(line.trim_end().to_owned());
            // The second time the second answer, if there are two.
            let mut known = script[1..].iter().filter(|(known, _)| *known == verb);
            let first = known.next();
            answer = if before > 0 { known.next().or(first) } else { first }
                .map_or("500 What?\r\n", |(_, answer)| *answer)
                .to_owned();
        }
    });
    (format!("ftp://ada:open.Sesame@{at}/lists/ada.csv"), said)
}

const IN: [(&str, &str); 4] = [
    ("", "220-hello\r\n220 you\r\n"),
    ("USER", "331 Password\r\n"),
    ("PASS", "230 In\r\n"),
    ("TYPE", "200 Octets\r\n"),
];

#[tokio::test]
async fn sec_14_ftp_bounce_data_come_only_from_the_host_that_one_logged_in_to() {
    // It sends us to 192.0.2.1, and the data come from where they must.
    const SCRIPT: [(&str, &str); 8] = [
        IN[0],
        IN[1],
        IN[2],
        IN[3],
        ("SIZE", "213 4\r\n"),
        ("PASV", "227 Entering Passive Mode (192,0,2,1,{high},{low}).\r\n"),
        ("RETR", "150 Here\r\n226 Done\r\n"),
        ("QUIT", "221 Bye\r\n"),
    ];
    let (url, said) = ftp(&SCRIPT, b"data").await;
    assert_eq!(here().fetch(&link(&url), None).await, whole(b"data", None));
    let said = said.lock().expect("a lock").clone();
    assert!(
        said.contains(&"RETR lists/ada.csv".to_owned()) && !said.iter().any(|line| line.starts_with("PORT")),
        "{said:?}"
    );
}

#[tokio::test]
async fn by_ftp_nothing_is_taken_by_half() {
    const EPSV: (&str, &str) = ("EPSV", "229 Passive (|||{port}|)\r\n");
    const DONE: (&str, &str) = ("RETR", "150 Here\r\n226 Done\r\n");
    static SHORT: [(&str, &str); 7] = [IN[0], IN[1], IN[2], IN[3], ("SIZE", "213 9\r\n"), EPSV, DONE];
    static CHANGED: [(&str, &str); 9] = [
        IN[0],
        IN[1],
        IN[2],
        IN[3],
        ("SIZE", "213 4\r\n"),
        ("MDTM", "213 20261129000000\r\n"),
        ("MDTM", "213 20261129000001\r\n"),
        EPSV,
        DONE,
    ];
    static ABORTED: [(&str, &str); 6] =
        [IN[0], IN[1], IN[2], IN[3], EPSV, ("RETR", "150 Here\r\n426 Aborted\r\n")];
    static LARGE: [(&str, &str); 5] = [IN[0], IN[1], IN[2], IN[3], ("SIZE", "213 99999999999\r\n")];
    static FORBIDDEN: [(&str, &str); 6] =
        [IN[0], IN[1], IN[2], IN[3], EPSV, ("RETR", "550 Permission denied.\r\n")];
    static WRONG: [(&str, &str); 3] = [IN[0], IN[1], ("PASS", "530 open what?\r\n")];
    static NOBODY: [(&str, &str); 1] = [("", "SSH-2.0-OpenSSH\r\n")];
    static FULL: [(&str, &str); 1] = [("", "421 Too many\r\n")];
    for (script, why) in [
        (&SHORT[..], "it has 9 octets, and 4 came"),
        (&CHANGED[..], "it changed while it was read"),
        (&ABORTED[..], "it answers 426 Aborted to RETR"),
        (&LARGE[..], "more than 1073741824 octets"),
        (&FORBIDDEN[..], "it answers 550 Permission denied. to RETR"),
        (&WRONG[..], "it does not let ada in (530 open what?)"),
        (&NOBODY[..], "what answers does not speak FTP"),
        (&FULL[..], "it answers 421 Too many to the connection"),
    ] {
        let (url, _) = ftp(script, b"data").await;
        let refused = here().fetch(&link(&url), None).await.expect_err(why);
        assert!(refused.contains(why) && !refused.contains("Sesame"), "{refused}");
    }
    static GONE: [(&str, &str); 6] =
        [IN[0], IN[1], IN[2], IN[3], EPSV, ("RETR", "550 Failed to open file.\r\n")];
    let (url, _) = ftp(&GONE, b"").await;
    assert_eq!(here().fetch(&link(&url), None).await, Ok(Fetched::Missing));
}

#[tokio::test]
async fn what_is_said_in_clear_before_tls_is_not_taken_for_secret() {
    static SCRIPT: [(&str, &str); 2] = [IN[0], ("AUTH", "234 Go on\r\n230 You are in\r\n")];
    let (url, said) = ftp(&SCRIPT, b"").await;
    let folder = std::env::temp_dir().join(format!("ringdown-transfer-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let identity = net::Identity::self_signed(&folder, vec!["localhost".into()]).expect("a certificate");
    let tls = net::client_config(&[&identity.certificate]).map_err(|error| error.to_string());
    let allow = vec!["127.0.0.1".parse().expect("a network")];
    let rules = Rules { allow, hint: "", tls, token: String::new(), ssh: SshRules::default() };
    let (transfer, at) = (Transfer::new(rules), link(&url.replace("ftp://", "ftpes://")));
    let asked = tokio::time::timeout(Duration::from_secs(5), transfer.fetch(&at, None)).await;
    assert_eq!(asked.expect("in time"), Err("somebody else speaks on this connection".to_owned()));
    assert_eq!(*said.lock().expect("a lock"), ["AUTH TLS"], "no name and no password was said");
    std::fs::remove_dir_all(&folder).expect("the folder goes");
}

#[tokio::test]
async fn a_local_file_is_replaced_whole() {
    let folder = std::env::temp_dir().join(format!("ringdown-local-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let at = Link::Local(folder.join("a.csv"));
    let transfer = here();
    assert_eq!(transfer.fetch(&at, None).await, Ok(Fetched::Missing));
    for bytes in [&b"one"[..], b"two"] {
        transfer.put(&at, bytes).await.expect("it is put");
        assert_eq!(transfer.fetch(&at, None).await, whole(bytes, None));
    }
    assert_eq!(std::fs::read_dir(&folder).expect("a folder").count(), 1, "no half file stays");
    std::fs::remove_dir_all(&folder).expect("the folder goes");
}

#[tokio::test]
async fn the_names_in_a_folder_come_without_what_leads_out_of_it() {
    const SCRIPT: [(&str, &str); 7] = [
        IN[0],
        IN[1],
        IN[2],
        IN[3],
        ("EPSV", "229 Entering (|||{port}|)\r\n"),
        ("NLST", "150 Here\r\n226 Done\r\n"),
        ("QUIT", "221 Bye\r\n"),
    ];
    let (url, said) =
        ftp(&SCRIPT, b"lists/ada.csv\r\nbob.csv\r\n..\r\n\r\nlists/../../x.csv\r\n.hidden\r\na\x07b\r\n")
            .await;
    let folder = link(url.trim_end_matches("/ada.csv"));
    let names = here().names(&folder).await.expect("names");
    assert_eq!(names, ["ada.csv", "bob.csv", "x.csv"]);
    assert!(said.lock().expect("a lock").contains(&"NLST lists".to_owned()));
    assert!(here().names(&link("http://127.0.0.1:1/lists")).await.is_err());
    let none = here().names(&Link::Local("/no/such/folder".into())).await;
    assert_eq!(none, Ok(Vec::new()));
}
