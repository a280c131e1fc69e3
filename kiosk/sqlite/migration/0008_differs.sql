-- What calls for a person is now also what the ILS has granted otherwise than
-- was promised.
DROP INDEX outcomes_exception;
CREATE INDEX outcomes_calling ON outcomes (entry) WHERE state IN ('exception', 'differs');
