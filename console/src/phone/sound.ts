// What the phone says by itself: ringing, ring-back, busy; and which microphone and speaker it uses.
import { signal } from "@preact/signals";
import type { ProfileAudio } from "../api/types.ts";

export const microphones = signal<MediaDeviceInfo[]>([]);
export const speakers = signal<MediaDeviceInfo[]>([]);
/** 0 to 1, while somebody looks at it. */
export const level = signal(0);

const KEPT = { microphone: "ringdown.microphone", speaker: "ringdown.speaker" } as const;
type Kind = keyof typeof KEPT;

export function choice(kind: Kind): string {
  try {
    return localStorage.getItem(KEPT[kind]) ?? "";
  } catch {
    return "";
  }
}

export function choose(kind: Kind, device: string): void {
  try {
    localStorage.setItem(KEPT[kind], device);
  } catch {
    // Then it counts for this visit only.
  }
}

export async function listDevices(): Promise<void> {
  if (navigator.mediaDevices === undefined) return;
  const all = await navigator.mediaDevices.enumerateDevices();
  microphones.value = all.filter((device) => device.kind === "audioinput" && device.deviceId !== "");
  speakers.value = all.filter((device) => device.kind === "audiooutput" && device.deviceId !== "");
}

let audio: ProfileAudio = { ring: 100, volume: 100, echo_cancellation: true, noise_suppression: true, gain_control: true };

/** From now on it sounds as a profile says. */
export function soundAs(wanted: ProfileAudio): void {
  audio = wanted;
}

/** The chosen microphone; another one when that is gone. */
export async function openMicrophone(): Promise<MediaStream> {
  if (navigator.mediaDevices === undefined) throw new DOMException("no secure context", "SecurityError");
  const wish = choice("microphone");
  const wanted: MediaTrackConstraints = {
    echoCancellation: audio.echo_cancellation,
    noiseSuppression: audio.noise_suppression,
    autoGainControl: audio.gain_control,
  };
  if (wish !== "") wanted.deviceId = { ideal: wish };
  const stream = await navigator.mediaDevices.getUserMedia({ audio: wanted, video: false });
  void listDevices();
  return stream;
}

let context: AudioContext | null = null;
function sound(): AudioContext {
  context ??= new AudioContext();
  if (context.state === "suspended") void context.resume();
  return context;
}

/** Tone pairs in Hz, then how long it sounds and rests, in seconds. */
const TONES = {
  // Two notes that are heard in an open-plan office and do not startle.
  ring: { hertz: [587, 740], on: 1.2, off: 2.4, loud: 0.18, warble: 12 },
  // A second call while one talks.
  knock: { hertz: [440], on: 0.25, off: 5, loud: 0.06, warble: 0 },
  // As Chinese exchanges sound: 450 Hz, one second of five (GB/T 3380).
  back: { hertz: [450], on: 1, off: 4, loud: 0.06, warble: 0 },
  busy: { hertz: [450], on: 0.35, off: 0.35, loud: 0.06, warble: 0 },
} as const;
export type Tone = keyof typeof TONES;

let playing: { tone: Tone; stop: () => void } | null = null;

export function play(tone: Tone | null): void {
  if (playing?.tone === tone) return;
  playing?.stop();
  playing = null;
  if (tone === null) return;
  const { hertz, on, off, warble } = TONES[tone];
  const loud = tone === "ring" ? (TONES.ring.loud * audio.ring) / 100 : TONES[tone].loud;
  const out = sound();
  const gain = out.createGain();
  gain.gain.value = 0;
  gain.connect(out.destination);
  const parts = hertz.map((frequency) => {
    const part = out.createOscillator();
    part.frequency.value = frequency;
    part.connect(gain);
    part.start();
    return part;
  });
  let begin = out.currentTime + 0.05;
  const plan = (): void => {
    // Two rounds ahead, because timers of hidden tabs run once a second at best.
    while (begin < out.currentTime + 2 * (on + off)) {
      gain.gain.setValueAtTime(0, begin);
      gain.gain.linearRampToValueAtTime(loud, begin + 0.02);
      if (warble > 0) {
        for (let at = 0; at < on; at += 1 / warble)
          gain.gain.setValueAtTime((at * warble) % 2 < 1 ? loud : loud / 3, begin + 0.02 + at);
      }
      gain.gain.setValueAtTime(loud, begin + on);
      gain.gain.linearRampToValueAtTime(0, begin + on + 0.04);
      begin += on + off;
    }
  };
  plan();
  const timer = setInterval(plan, 1000);
  const stop = (): void => {
    clearInterval(timer);
    for (const part of parts) part.stop();
    gain.disconnect();
  };
  playing = { tone, stop };
  if (tone === "busy") setTimeout(() => playing?.tone === "busy" && play(null), 2100);
}

/** Shows how loud a stream is until it is told to stop. */
export function meter(stream: MediaStream): () => void {
  const audio = sound();
  const source = audio.createMediaStreamSource(stream);
  const analyser = audio.createAnalyser();
  analyser.fftSize = 1024;
  source.connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  const timer = setInterval(() => {
    analyser.getFloatTimeDomainData(samples);
    let sum = 0;
    for (const value of samples) sum += value * value;
    const decibels = 10 * Math.log10(sum / samples.length + 1e-9);
    level.value = Math.max(0, Math.min(1, (decibels + 60) / 54));
  }, 80);
  return () => {
    clearInterval(timer);
    source.disconnect();
    level.value = 0;
  };
}

export async function toSpeaker(element: HTMLAudioElement): Promise<void> {
  element.volume = audio.volume / 100;
  const wish = choice("speaker");
  if ("setSinkId" in element) await element.setSinkId(wish).catch(() => {});
}
