// Signing in, and setting a password after a one-time link.
import type { JSX } from "preact";
import { useSignal } from "@preact/signals";
import { LanguageSwitch, offered } from "./app.tsx";
import { api, session, signIn } from "./state/store.ts";
import { Problem } from "./api/client.ts";
import { Field, Form } from "./ui/parts.tsx";
import { t } from "./words.ts";

export const SHORTEST_PASSWORD = 8;

export function Door({ password = false }: { password?: boolean }): JSX.Element {
  return (
    <main class="door">
      <div class="card">
        <h1 class="brand">
          <img src="/icon.svg" alt="" width={24} height={24} />
          Ringdown
        </h1>
        {password ? <SetPassword /> : <SignIn />}
      </div>
      <div class="languages">
        <LanguageSwitch />
      </div>
    </main>
  );
}

function SignIn(): JSX.Element {
  const name = useSignal("");
  const secret = useSignal("");
  return (
    <Form
      label={t("door.sign_in")}
      action={t("door.sign_in")}
      send={async () => {
        try {
          await signIn(name.value.trim(), secret.value);
        } catch (error) {
          secret.value = "";
          if (error instanceof Problem && error.status === 401) throw new Problem(401, "", t("door.wrong"));
          throw error;
        }
      }}
    >
      {() => (
        <>
          <Field autofocus required label={t("door.name")} autocomplete="username" value={name.value} onInput={(value) => (name.value = value)} />
          <Field
            required
            label={t("door.password")}
            type="password"
            autocomplete="current-password"
            value={secret.value}
            onInput={(value) => (secret.value = value)}
            hint={t("door.forgotten")}
          />
        </>
      )}
    </Form>
  );
}

function offer(): void {
  sessionStorage.setItem("ringdown.offered", "1");
  offered.value = true;
}

function SetPassword(): JSX.Element {
  const secret = useSignal("");
  const again = useSignal("");
  const me = session.value;
  return (
    <Form
      label={t("door.set_password")}
      action={t("door.set_password")}
      cancel={offer}
      cancelWords={t("door.later")}
      send={async () => {
        if (secret.value !== again.value) throw new Error(t("door.differ"));
        await api.post("session/password", { new: secret.value });
        offer();
      }}
    >
      {(wrong) => (
        <>
          <p>{t("door.welcome", { name: me?.display || me?.account || "" })}</p>
          <input type="text" hidden autocomplete="username" value={me?.account ?? ""} readOnly />
          <NewPassword secret={secret.value} again={again.value} onSecret={(value) => (secret.value = value)} onAgain={(value) => (again.value = value)} error={wrong("new")} />
        </>
      )}
    </Form>
  );
}

export function NewPassword(props: {
  secret: string;
  again: string;
  onSecret: (value: string) => void;
  onAgain: (value: string) => void;
  error?: string | undefined;
}): JSX.Element {
  const short = props.secret !== "" && props.secret.length < SHORTEST_PASSWORD;
  const differs = props.again !== "" && props.again !== props.secret;
  return (
    <>
      <Field
        required
        label={t("door.new_password")}
        type="password"
        autocomplete="new-password"
        value={props.secret}
        onInput={props.onSecret}
        hint={t("door.length", { n: SHORTEST_PASSWORD })}
        error={props.error ?? (short ? t("door.length", { n: SHORTEST_PASSWORD }) : undefined)}
      />
      <Field
        required
        label={t("door.again")}
        type="password"
        autocomplete="new-password"
        value={props.again}
        onInput={props.onAgain}
        error={differs ? t("door.differ") : undefined}
      />
    </>
  );
}
