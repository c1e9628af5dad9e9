// How a call sounds, in a word, from what the browser counts. Pure: samples in, word out.
import type { Quality } from "./types.ts";

/** Counters since the call began, and what the far end reported. */
export interface Sample {
  /** Milliseconds. */
  at: number;
  received: number;
  lost: number;
  /** Seconds. */
  jitter: number;
  sent: number;
  /** Share of our packets that the far end missed, 0 to 1; null when it has not said. */
  theirLoss: number | null;
  /** Seconds; null when unknown. */
  roundTrip: number | null;
}

/** Above these a conversation is felt to be rough (G.107 puts 3 % loss with Opus and 400 ms round trip near MOS 3.6). */
const LOSS = 0.03;
const JITTER_S = 0.04;
const ROUND_TRIP_S = 0.4;
/** Nothing for so long is not a pause between two packets. */
const SILENT_MS = 4000;

export class QualityMeter {
  private samples: Sample[] = [];
  private lastReceived = 0;
  private lastSent = 0;

  constructor(private readonly began: number) {
    this.lastReceived = began;
    this.lastSent = began;
  }

  /** `quiet`: somebody holds, so that nothing need come. */
  add(sample: Sample, quiet: boolean): Quality {
    const before = this.samples.at(-1);
    if (quiet || before === undefined || sample.received > before.received) this.lastReceived = sample.at;
    if (quiet || before === undefined || sample.sent > before.sent) this.lastSent = sample.at;
    this.samples.push(sample);
    if (this.samples.length > 4) this.samples.shift();
    if (quiet) return "measuring";
    if (sample.at - this.lastReceived >= SILENT_MS) return "deaf";
    if (sample.at - this.lastSent >= SILENT_MS) return "mute";
    const first = this.samples[0];
    if (first === undefined || sample.at - this.began < 2000 || this.samples.length < 2) return "measuring";
    const received = sample.received - first.received;
    const lost = Math.max(0, sample.lost - first.lost);
    const loss = received + lost > 0 ? lost / (received + lost) : 0;
    const rough =
      loss > LOSS ||
      sample.jitter > JITTER_S ||
      (sample.theirLoss ?? 0) > LOSS ||
      (sample.roundTrip ?? 0) > ROUND_TRIP_S;
    return rough ? "rough" : "good";
  }
}

/** The counters of a call's one audio stream. */
export function sampleOf(report: Iterable<Record<string, unknown>>, at: number): Sample {
  const sample: Sample = { at, received: 0, lost: 0, jitter: 0, sent: 0, theirLoss: null, roundTrip: null };
  const number = (value: unknown): number => (typeof value === "number" ? value : 0);
  for (const part of report) {
    if (part["kind"] !== undefined && part["kind"] !== "audio") continue;
    if (part["type"] === "inbound-rtp") {
      sample.received += number(part["packetsReceived"]);
      sample.lost += number(part["packetsLost"]);
      sample.jitter = Math.max(sample.jitter, number(part["jitter"]));
    } else if (part["type"] === "outbound-rtp") {
      sample.sent += number(part["packetsSent"]);
    } else if (part["type"] === "remote-inbound-rtp") {
      if (typeof part["fractionLost"] === "number") sample.theirLoss = part["fractionLost"];
      if (typeof part["roundTripTime"] === "number") sample.roundTrip = part["roundTripTime"];
    }
  }
  return sample;
}
