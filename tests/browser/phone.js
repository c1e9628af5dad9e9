// A web phone for tests: real JsSIP, real socket. What it saw is in `events`, oldest first.
//
// Its sound is its own: the session descriptions that leave are plain RTP, and what comes is replaced by what another
// connection of this page says. So these tests are of signalling alone.
const PLAIN = [
  'v=0', 'o=- 1 1 IN IP4 127.0.0.1', 's=-', 'c=IN IP4 127.0.0.1', 't=0 0', 'm=audio 9000 RTP/AVP 0',
  'a=rtpmap:0 PCMU/8000', 'a=sendrecv', '',
].join('\r\n');

const testPhone = {
  events: [],
  ua: null,
  session: null,

  note(kind, detail) {
    this.events.push({ kind, detail: detail ?? null, at: performance.now() });
  },

  /** Asks the API for the phone of this session. */
  async open() {
    const who = await (await fetch('/api/v1/session')).json();
    const answer = await fetch('/api/v1/phone', { method: 'POST', headers: { 'X-Ringdown-CSRF': who.csrf } });
    return { status: answer.status, body: await answer.json() };
  },

  /** Registers; `phone` is what `open` gave. */
  async start(phone, options = {}) {
    const other = new RTCPeerConnection();
    other.addTransceiver('audio');
    this.offer = (await other.createOffer()).sdp;
    const socket = new JsSIP.WebSocketInterface(options.socket ?? phone.socket);
    const ua = new JsSIP.UA({
      sockets: [socket],
      uri: phone.uri,
      authorization_jwt: `Bearer ${options.token ?? phone.token}`,
      instance_id: options.instance ?? '8f1fa16a-1165-4a96-8341-785b1ef24f12',
      register_expires: 300,
      session_timers: false,
      connection_recovery_min_interval: 1,
      connection_recovery_max_interval: 2,
      user_agent: 'test',
    });
    for (const kind of ['connected', 'disconnected', 'registered', 'unregistered']) {
      ua.on(kind, (event) => this.note(kind, event?.code));
    }
    ua.on('registrationFailed', (event) => this.note('refused', event.response?.status_code ?? event.cause));
    ua.on('newRTCSession', ({ session, originator }) => this.follow(session, originator));
    this.ua = ua;
    this.socket = socket;
    ua.start();
  },

  follow(session, originator) {
    this.session = session;
    if (originator === 'remote') this.note('rings', session.remote_identity.uri.user);
    session.on('sdp', (event) => {
      if (event.originator === 'local') {
        if (event.type === 'offer') this.answerTo(event.sdp);
        event.sdp = PLAIN;
      } else {
        event.sdp = event.type === 'offer' ? this.offer : this.answer;
      }
    });
    for (const kind of ['progress', 'accepted', 'confirmed']) {
      session.on(kind, (event) => this.note(kind, event.response?.status_code));
    }
    session.on('ended', (event) => this.note('ended', `${event.originator}: ${event.cause}`));
    session.on('failed', (event) => this.note('failed', event.message?.status_code ?? event.cause));
  },

  async answerTo(sdp) {
    const other = new RTCPeerConnection();
    await other.setRemoteDescription({ type: 'offer', sdp });
    this.answer = (await other.createAnswer()).sdp;
  },

  call(number) {
    this.ua.call(number, { mediaConstraints: { audio: true, video: false } });
  },

  take() {
    this.session.answer({ mediaConstraints: { audio: true, video: false } });
  },

  /** The network fails: the socket is gone without a word to JsSIP's user. */
  cut() {
    this.socket._ws.close();
  },
};
window.testPhone = testPhone;
