// Package simulation runs kiosks, their network and a library's system (ILS)
// in one process, by virtual time and under a seed, and then holds what they
// say against what the ILS did. The same seed is the same run to the
// nanosecond.
//
// Real are the desk with its session, the outbox, the kiosk's clock, and SIP2
// on both sides; the ILS is upstreamtest.ILS. Ours are:
//
//   - the network, which loses questions and answers, delays, repeats and
//     spoils them, cuts lines, and delivers a question long after whoever
//     asked has given up;
//   - the disk: kiosktest.Memory behind writes that take time, stall, are
//     refused, and end the process right before, in, or after them. What a
//     write that returned has stored survives, nothing else does but marks
//     that need not be synced (Outbox.Postpone, Mirror.Learn). The SQLite
//     ledger passes the same suite as Memory (kiosktest.TestLedger), and its
//     own tests kill it in its writes: that is what makes the one stand for
//     the other here;
//   - the pads, and the tags of some books, which are lifted while they are
//     written, do not answer, or refuse; the process ends before, in, and after
//     the writing of one as of the disk. The gate is what is on a tag: it must be
//     as the newest word on it has it, or wait on a work list;
//   - patrons, who borrow, return, renew, and walk away; the staff of the
//     library, who do the same at the ILS itself; and what befalls machines.
//
// Where each book is, is known to the simulation and to nobody in it. After
// some hours there is peace: everything works and nobody comes any more, until
// the outboxes hold nothing that could still be told. Then [judge] looks.
//
// # One seed, one run
//
// Within a testing/synctest bubble goroutines that can run at the same moment
// do so in any order. So each actor draws from a lot of its own; what befalls
// a question is drawn by its words and not by the connection that it goes by;
// and all delays are drawn to the nanosecond, so that in effect no two actors
// wake at the same moment.
package simulation
