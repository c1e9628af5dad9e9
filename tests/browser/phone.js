// A web phone for tests: real JsSIP, real socket. What it saw is in `events`, oldest first; what it hears tells ear.js.

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

  /** Registers; `phone` is what `open` gave, or an account of a SIP phone with its `password` and several `sockets`, the best first. */
  async start(phone, options = {}) {
    const addresses = phone.sockets ?? [options.socket ?? phone.socket];
    const sockets = addresses.map((address, place) => {
      return { socket: new JsSIP.WebSocketInterface(address), weight: addresses.length - place };
    });
    const secret = phone.password
      ? { password: phone.password }
      : { authorization_jwt: `Bearer ${options.token ?? phone.token}` };
    const ua = new JsSIP.UA({
      sockets,
      uri: phone.uri,
      ...secret,
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
    ua.start();
  },

  follow(session, originator) {
    this.session = session;
    if (originator === 'remote') this.note('rings', session.remote_identity.uri.user);
    session.on('sdp', (event) => {
      if (this.only && event.originator === 'local') event.sdp = keepOnly(event.sdp, this.only);
    });
    session.on('peerconnection', ({ peerconnection }) => (this.connection = peerconnection));
    if (session.connection) this.connection = session.connection;
    for (const kind of ['progress', 'accepted', 'confirmed']) {
      session.on(kind, (event) => this.note(kind, event.response?.status_code));
    }
    session.on('ended', (event) => this.note('ended', `${event.originator}: ${event.cause}`));
    session.on('failed', (event) => this.note('failed', event.message?.status_code ?? event.cause));
  },

  /** What the connection says of itself. */
  async stats() {
    const found = {};
    for (const report of (await this.connection.getStats()).values()) {
      if (report.type === 'inbound-rtp') Object.assign(found, { received: report.packetsReceived });
      if (report.type === 'outbound-rtp') Object.assign(found, { sent: report.packetsSent });
      if (report.type === 'remote-inbound-rtp') found.reported = report.fractionLost;
      if (report.type === 'transport') Object.assign(found, { tls: report.tlsVersion, dtls: report.dtlsState });
      if (report.type === 'codec' && report.mimeType) (found.codecs ??= []).push(report.mimeType);
    }
    return found;
  },

  hold() {
    this.session.hold();
  },

  resume() {
    this.session.unhold();
  },

  digits(tones) {
    const sender = this.connection.getSenders().find((one) => one.dtmf);
    sender.dtmf.insertDTMF(tones, 120, 80);
  },

  call(number) {
    this.ua.call(number, { mediaConstraints: { audio: true, video: false } });
  },

  take() {
    this.session.answer({ mediaConstraints: { audio: true, video: false } });
  },
};

/** A description with one codec, and the keys of its clock. */
function keepOnly(sdp, codec) {
  const clock = codec.split('/')[1];
  const kept = [...sdp.matchAll(/a=rtpmap:(\d+) (\S+)/g)]
    .filter(([, , name]) => name.startsWith(codec) || name === `telephone-event/${clock}`)
    .map(([, number]) => number);
  const about = /^a=(?:rtpmap|fmtp|rtcp-fb):(\d+)/;
  return sdp
    .split('\r\n')
    .map((line) => (line.startsWith('m=audio') ? [...line.split(' ').slice(0, 3), ...kept].join(' ') : line))
    .filter((line) => !about.test(line) || kept.includes(about.exec(line)[1]))
    .join('\r\n');
}

window.testPhone = testPhone;
