// What a page with a telephone hears, and how its network fails. To be there before the page's own scripts.

const testEar = {
  /** Living connections with the analyser of what they hear, oldest first. */
  heads: [],
  sockets: [],

  /** Plays what comes, so that it is decoded, and measures it. */
  listen(connection) {
    const head = { connection, analyser: null };
    this.heads.push(head);
    connection.addEventListener('track', (event) => {
      const stream = event.streams[0] ?? new MediaStream([event.track]);
      const element = new Audio();
      element.srcObject = stream;
      element.muted = true;
      element.play();
      head.element = element;
      this.context ??= new AudioContext();
      head.analyser = this.context.createAnalyser();
      head.analyser.fftSize = 16384;
      this.context.createMediaStreamSource(stream).connect(head.analyser);
    });
  },

  /** The loudest frequency that the newest call hears now, in hertz, and how loud, in decibels. */
  heard() {
    this.heads = this.heads.filter(({ connection }) => connection.signalingState !== 'closed');
    const analyser = this.heads.at(-1)?.analyser;
    if (!analyser) return { hertz: 0, level: -200 };
    const bins = new Float32Array(analyser.frequencyBinCount);
    analyser.getFloatFrequencyData(bins);
    let best = 1;
    for (let bin = 1; bin < bins.length - 1; bin += 1) if (bins[bin] > bins[best]) best = bin;
    const width = this.context.sampleRate / analyser.fftSize;
    return { hertz: best * width, level: bins[best] };
  },

  /** The network fails: the sockets of SIP are gone without a word to whoever uses them. */
  cut() {
    for (const socket of this.sockets.splice(0)) socket.close();
  },
};
window.testEar = testEar;

window.RTCPeerConnection = class extends RTCPeerConnection {
  constructor(...options) {
    super(...options);
    testEar.listen(this);
  }
};

window.WebSocket = class extends WebSocket {
  constructor(...options) {
    super(...options);
    if (this.url.endsWith('/sip')) testEar.sockets.push(this);
  }
};

// The microphone of a test says a tone, which suppression of noise takes for noise and of echo for an echo.
if (navigator.mediaDevices) {
  const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  const plain = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };
  navigator.mediaDevices.getUserMedia = ({ audio, ...rest }) =>
    open({ ...rest, audio: audio ? { ...(audio === true ? {} : audio), ...plain } : audio });
}
