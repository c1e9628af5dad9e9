-- Callers of a queue may ask to be called back: by which key (none if they may not), who is called first, how often, and
-- whether abroad.
ALTER TABLE queues ADD COLUMN callback_key TEXT;
ALTER TABLE queues ADD COLUMN callback_first TEXT NOT NULL DEFAULT 'agent';
ALTER TABLE queues ADD COLUMN callback_attempts INTEGER NOT NULL DEFAULT 3;
ALTER TABLE queues ADD COLUMN callback_abroad INTEGER NOT NULL DEFAULT 0;
