-- What the ILS has said in refusing and the kiosk has no reason for: staff reads
-- it. Partial, so that it costs nothing until it is needed.
CREATE INDEX outcomes_strange ON outcomes (at) WHERE state = 'refused' AND reason = 'ask-staff';
