"""The paper's tables and figures again, at laboratory scale, with seeds and error bars: ``calm-lab reproduce``.

``grid`` declares what is run and what the paper claims, ``runs`` makes one run and its small result file, ``results``
reads those files and judges the claims, ``queue`` walks through what is missing and can be stopped at any time.
"""
