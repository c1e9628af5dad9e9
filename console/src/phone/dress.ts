// The look and the language of a profile, put on a page, and taken off when no profile names them any more.
import type { Profile } from "../api/types.ts";
import { language, preferred, speak, type Language } from "../words.ts";

/** Dresses an element; a language that was chosen for it stays. */
export function dresser(root: HTMLElement, chosen: () => Language | null): (profile: Profile | null) => void {
  /** Whether the page speaks a profile's language now. */
  let spoken = false;
  return (profile) => {
    if (profile === null || profile.look === "system") root.removeAttribute("data-look");
    else root.dataset["look"] = profile.look;
    const named = chosen() === null ? (profile?.language ?? null) : null;
    const wanted = named ?? (spoken ? preferred() : null);
    spoken = named !== null;
    if (wanted !== null && wanted !== language.peek()) void speak(wanted);
  };
}
