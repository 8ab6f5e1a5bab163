"""Words of the tab "Generate", in English and Simplified Chinese; ``words`` makes them one table."""

from __future__ import annotations

WORDS: dict[str, tuple[str, str]] = {
    "generate_tab": ("Generate", "生成"),
    "generate_look": (
        "Each step draws a pool of chunks and chooses one. **Lower the temperature**: a chunk that was drawn several "
        "times is chosen; where none was, fewer repeats have to do. Click any chunk of the text to open its pool.",
        "每一步抽出一池候选块，从中选一个。**降低温度**：选中的是被抽到多次的块；若没有这样的块，重复次数较少的也可以。"
        "点击文字中的任意一块，打开它的候选池。",
    ),
    "generate_prompt": ("Prompt", "开头"),
    "generate_placeholder": ("Empty: the model starts from nothing", "留空：模型从零开始"),
    "generate_model": ("Model", "模型"),
    "generate_temperature": ("Temperature", "温度"),
    "generate_temperature_one": ("every draw may be chosen", "抽到的都可能被选中"),
    "generate_temperature_many": ("a chunk needs {n} equal draws", "一个块要被抽到 {n} 次"),
    "generate_temperature_spoken": ("one over {n}", "{n} 分之一"),
    "generate_sure": ("surer", "更有把握"),
    "generate_free": ("freer", "更自由"),
    "generate_length": ("Length, tokens", "长度（词元）"),
    "generate_pool": ("Pool, draws a step", "候选池（每步抽取数）"),
    "generate_seed": ("Seed", "种子"),
    "generate_new_seed": ("New seed", "换种子"),
    "generate_go": ("Generate", "生成"),
    "generate_stop": ("Stop", "停止"),
    "generate_how": ("How this is computed", "这是怎么算出来的"),
    "stage_text": ("Written text; arrow keys move between chunks", "写出的文字；用方向键在块之间移动"),
    "stage_waiting": ("Nothing written yet. Press Generate.", "还没有写出文字。请按“生成”。"),
    "stage_queued": ("starting, or waiting for its turn", "即将开始，或排队等候中"),
    "stage_starting": ("Starting…", "正在开始…"),
    "stage_running": ("writing", "正在写"),
    "stage_ended": ("ended by itself", "自行结束"),
    "stage_full": ("stopped at the length", "达到设定长度"),
    "stage_stopped": ("stopped", "已停止"),
    "stage_count": ("{count} chunks, {tokens} tokens, {seconds} s", "{count} 块，{tokens} 个词元，{seconds} 秒"),
    "stage_count_one": ("1 chunk, {tokens} tokens, {seconds} s", "1 块，{tokens} 个词元，{seconds} 秒"),
    "stage_settings": ("{model} · T = {t} · seed {seed}", "{model} · T = {t} · 种子 {seed}"),
    "stage_guess": (
        "Dashed, {guesses} of {steps}: no chunk came {n} times in the pool, so fewer repeats had to do. Where that "
        "happens often, the model is too unsure for whole sentences: small models know words first.",
        "虚线，{steps} 块中的 {guesses} 块：候选池里没有块出现 {n} 次，只好放宽要求。"
        "这种情况多，说明模型还没把握写出整句：小模型先学会的是词。",
    ),
    "stage_step": ("step {number}: {text}", "第 {number} 步：{text}"),
    "stage_nothing": ("(nothing yet)", "（尚无文字）"),
    "pool_title": ("The pool of step {number}", "第 {number} 步的候选池"),
    "pool_hint": ("Click a chunk to see what it was chosen from.", "点击一块，看它是从哪些候选中选出的。"),
    "pool_candidate": ("candidate", "候选"),
    "pool_count": ("drawn", "抽到"),
    "pool_groups": ("C(count, {n})", "C(次数, {n})"),
    "pool_weight": ("chance", "概率"),
    "pool_chosen": ("chosen", "选中"),
    "pool_rare": ("drawn too seldom", "抽到次数不足"),
    "pool_more": ("and {count} more", "另有 {count} 个"),
    "pool_summary": (
        "{draws} draws, {distinct} different, {eligible} could be chosen",
        "抽取 {draws} 次，{distinct} 种，其中 {eligible} 种可选",
    ),
    "pool_rule": (
        "T = 1/{wanted}: a chunk needs {wanted} equal draws.",
        "T = 1/{wanted}：一个块需要被抽到 {wanted} 次。",
    ),
    "pool_rule_one": (
        "T = 1: one draw, taken as it comes. Lower temperatures draw a pool and look for repeats.",
        "T = 1：抽一次，直接采用。更低的温度会抽出一池，寻找重复。",
    ),
    "pool_fallback": (
        "None came {wanted} times here, so {count} were enough.",
        "这里没有块出现 {wanted} 次，因此 {count} 次即可。",
    ),
    "pool_fallback_one": (
        "None came {wanted} times here, nor twice: a plain draw had to do.",
        "这里没有块出现 {wanted} 次，连两次也没有：只好直接取普通的一次抽取。",
    ),
    "pool_ms": ("{ms} ms", "{ms} 毫秒"),
    "generate_method": ("Method", "方法"),
    "generate_method_batch": ("batch", "批量"),
    "generate_method_exact": ("exact", "精确"),
    "generate_method_batch_note": (
        "a pool a step, any T = 1/n; leans towards T = 1 where the pool is small",
        "每步一个候选池，T 只能是 1/n；池小时偏向 T = 1",
    ),
    "generate_method_exact_note": (
        "any T, exactly that law; nobody knows beforehand how many draws it takes",
        "任意 T，分布完全准确；但要抽多少次，事先谁也不知道",
    ),
    "generate_budget": ("Budget, draws a step", "预算（每步抽取数）"),
    "generate_spent": ("When it is spent", "预算用完时"),
    "generate_spent_batch": ("choose by the batch rule", "改用批量规则选"),
    "generate_spent_stop": ("stop there", "就此停下"),
    "generate_brier": (
        "BrierLM scores one chunk ahead, always behind true text. A story reads its own mistakes, so it strays "
        "further than that score tells.",
        "BrierLM 只评下一块，而且前文总是真实文本。自己写故事时，模型读到的是自己的错误，"
        "所以会比这个分数显示的偏得更远。",
    ),
    "generate_compare": ("Write it at T = 1, 1/2 and 1/3", "用 T = 1、1/2、1/3 各写一遍"),
    "heat_temperature": ("Temperature", "温度"),
    "heat_whole": ("1/n: trials need n equal draws and no second stage", "1/n：每次试验只需 n 次相同，没有第二阶段"),
    "heat_between": (
        "between two 1/n: a second stage makes up for the rest",
        "在两个 1/n 之间：第二阶段补上余下的部分",
    ),
    "stage_spent": ("stopped: the budget of a step was spent", "已停止：一步的预算用完了"),
    "stage_calls": ("{calls} draws", "抽取 {calls} 次"),
    "stage_accepted_batch": ("{share} of steps kept to n", "{share} 的步达到了 n 次"),
    "stage_accepted_batch_note": (
        "the share of steps in which some chunk came n times",
        "有块被抽到 n 次的步数所占的比例",
    ),
    "stage_accepted_exact": ("{share} of trials accepted", "接受了 {share} 的试验"),
    "stage_accepted_exact_note": ("accepted trials over trials", "被接受的试验数除以试验总数"),
    "stage_guess_exact": (
        "Dashed, {guesses} of {steps}: {budget} draws were spent before a trial was accepted, so the batch rule chose "
        "among them. These chunks do not have exactly the law of this temperature.",
        "虚线，{steps} 块中的 {guesses} 块：抽了 {budget} 次仍没有试验被接受，于是按批量规则从中选出。"
        "这些块并不严格服从该温度的分布。",
    ),
    "stage_refused": (
        "The next chunk spent {calls} draws in {trials} trials ({agreed} of them past stage 1) and none was accepted. "
        "Raise the budget or the temperature, or let the batch rule choose.",
        "下一块在 {trials} 次试验中抽了 {calls} 次（其中 {agreed} 次通过第一阶段），没有一次被接受。"
        "请提高预算或温度，或者让批量规则来选。",
    ),
    "stage_early": (
        "This story ended before it began. Look at its only pool: {draws} draws gave {distinct} different chunks; the "
        "end came {end} times, the most frequent other chunk {others} times. Stories open in so many ways that no "
        "opening repeats, and below T = 1 repeats are all that counts. So begin from a prompt, or at T = 1.",
        "这个故事还没开始就结束了。看它唯一的候选池：抽取 {draws} 次得到 {distinct} 种不同的块；“结束”出现 {end} 次，"
        "其他块中最多的出现 {others} 次。故事的开头五花八门，没有哪个会重复，而低于 T = 1 时只看重复。"
        "所以请给一个开头，或者用 T = 1。",
    ),
    "stage_way_t1": ("Set T = 1", "设 T = 1"),
    "stage_way_prompt": ("Begin with an example", "用示例开头"),
    "stale_mark": (
        "Written before you changed: {names}. Press the button again for a new text.",
        "这段文字写于你更改以下设置之前：{names}。请再按一次按钮重新写。",
    ),
    "stale_and": (", ", "和"),
    "stale_prompt": ("the prompt", "开头"),
    "stale_n": ("the temperature", "温度"),
    "stale_heat": ("the temperature", "温度"),
    "stale_length": ("the length", "长度"),
    "stale_pool": ("the pool", "候选池"),
    "stale_seed": ("the seed", "种子"),
    "stale_model": ("the model", "模型"),
    "stale_method": ("the method", "方法"),
    "stale_budget": ("the budget", "预算"),
    "stale_spent": ("what follows a spent budget", "预算用完后的做法"),
    "pool_rule_exact": (
        "Exact, T = {t}: trial after trial, until one is accepted.",
        "精确方法，T = {t}：一次次试验，直到有一次被接受。",
    ),
    "pool_spent": (
        "The budget of {calls} draws was spent, so the batch rule chose: {used} equal draws were enough.",
        "{calls} 次抽取的预算用完了，于是按批量规则选：{used} 次相同即可。",
    ),
    "pool_trials": ("trials", "试验"),
    "pool_stage1": ("refused in stage 1: the draws did not agree", "第一阶段被拒：抽取结果不一致"),
    "pool_stage2": ("refused in stage 2: the coins fell against it", "第二阶段被拒：硬币没有掷中"),
    "pool_accepted": ("accepted", "接受"),
    "pool_calls": ("draws charged", "计费的抽取"),
    "pool_estimate": ("share at T, from the draws", "T 下的份额（由抽取估计）"),
    "pool_seen": ("{draws} draws seen, {distinct} different", "共见到 {draws} 次抽取，{distinct} 种"),
    "pool_histogram": ("How often chunks came", "各块出现的次数"),
    "pool_histogram_x": ("times drawn", "被抽到的次数"),
    "pool_histogram_y": ("different chunks", "不同的块"),
    "pool_histogram_bar": ("{chunks} came {times} times", "{chunks} 种出现 {times} 次"),
    "price_waiting": ("Estimating what the first chunk will take…", "正在估计第一块要抽多少次…"),
    "price_title": ("Estimate:", "估计："),
    "price_about": (
        "about {calls} draws for the first chunk at T = {t} (95%: {low} to {high}), judged from {pilot} pilot draws.",
        "T = {t} 时第一块约需 {calls} 次抽取（95%：{low} 到 {high}），由 {pilot} 次试抽估计。",
    ),
    "price_bound": (
        "at least about {low} draws for the first chunk at T = {t}, perhaps far more: {pilot} pilot draws show too few "
        "repeats.",
        "T = {t} 时第一块至少约需 {low} 次抽取，也可能多得多：{pilot} 次试抽中重复太少。",
    ),
    "price_unseen": (
        "at least {low} draws for the first chunk at T = {t}: in {pilot} pilot draws no chunk came often enough.",
        "T = {t} 时第一块至少需要 {low} 次抽取：{pilot} 次试抽中没有块出现得足够多。",
    ),
    "price_one": ("one draw a chunk: at T = {t} every draw is accepted.", "每块抽一次：T = {t} 时抽到即接受。"),
    "price_time": (
        "That would last {time} here. Later chunks, up to {chunks}, may cost more or less.",
        "在这台机器上约需{time}。之后的块（最多 {chunks} 块）可能更贵，也可能更便宜。",
    ),
    "price_time_low": (
        "That would last {time} here, or longer. Later chunks, up to {chunks}, may cost more or less.",
        "在这台机器上约需{time}，甚至更久。之后的块（最多 {chunks} 块）可能更贵，也可能更便宜。",
    ),
    "price_short": ("less than a second", "不到一秒"),
    "price_seconds": ("{s} seconds", " {s} 秒"),
    "price_minutes": ("{m} minutes", " {m} 分钟"),
    "price_hours": ("{h} hours", " {h} 小时"),
    "price_beyond": (
        "More than the budget of {budget}: expect it to be spent.",
        "超过了 {budget} 次的预算：预算多半会用完。",
    ),
    "price_charged": ("It took {calls}.", "实际用了 {calls} 次。"),
    "price_charged_spent": ("{calls} were not enough.", "{calls} 次还不够。"),
    "compare_title": ("Same prompt, same seed, three temperatures", "同样的开头，同样的种子，三种温度"),
    "compare_note": (
        "Batch method, pool of {pool}, seed {seed}. Each coloured piece is one step. Click a chunk to open its pool.",
        "批量方法，候选池 {pool}，种子 {seed}。每个色块是一步。点击一块，打开它的候选池。",
    ),
    "compare_calm": ("CALM, T = {t}", "CALM 模型，T = {t}"),
    "compare_transformer": ("token Transformer, T = {t}", "词元 Transformer，T = {t}"),
    "compare_loose": (
        "{loose} of {steps} steps: no chunk came {n} times, fewer repeats had to do.",
        "{steps} 步中的 {loose} 步：没有块出现 {n} 次，只好放宽要求。",
    ),
    "compare_empty": ("It ended at once: only the end repeated.", "立刻就结束了：只有“结束”重复出现。"),
    "compare_took": ("What each text took", "每段文字的花费"),
    "compare_table": ("Steps, draws, seconds and FLOPs of each text", "每段文字的步数、抽取数、秒数和 FLOPs"),
    "compare_text": ("text", "文字"),
    "compare_tokens": ("tokens", "词元"),
    "compare_steps": ("steps", "步数"),
    "compare_calls": ("draws", "抽取"),
    "compare_seconds": ("seconds", "秒"),
    "compare_rate": ("tokens/s", "词元/秒"),
    "compare_flops": ("FLOPs", "FLOPs 总数"),
    "compare_per_token": ("FLOPs a token", "每词元 FLOPs"),
    "compare_parameters": ("parameters", "参数"),
    "compare_took_note": (
        "Seconds are measured here, one text after the other; FLOPs are counted for the draws made at the context they "
        "had. Reading the prompt is left out. CALM's parameters include its autoencoder. A softmax divides its logits "
        "by T for nothing; CALM pays for a low T with draws.",
        "秒数是在这台机器上逐段测得的；FLOPs 按实际抽取次数和当时的上下文计算。不含读开头的花费。"
        "CALM 的参数包含自编码器。Softmax 把 logits 除以 T，不花任何代价；CALM 要靠多抽来换取低温。",
    ),
    "compare_missing": (
        "No token Transformer stands beside {model}: it must share its tokenizer and its corpus, {corpus}.",
        "没有可与 {model} 并列的词元 Transformer：它必须使用同样的分词器和同样的语料 {corpus}。",
    ),
    "compare_missing_none": ("There is none here at all. Train one:", "这里一个也没有。可以训练一个："),
    "compare_missing_corpus": (
        "Found here: {count}, none of this corpus. Train one:",
        "这里有 {count} 个，但都不是这个语料的。可以训练一个：",
    ),
    "compare_missing_tokenizer": (
        "Found here: {count}, none with this tokenizer. Train one:",
        "这里有 {count} 个，但分词器都不同。可以训练一个：",
    ),
}
